"""From a file to commands, or to what is wrong, whoever made the file."""

import io
from decimal import Decimal

import pytest
from imports.imported import csv

from ledger.imports.csv_lines import LINE_BYTES_MAX, CsvLines, UnreadableFile, escaped, unescaped
from ledger.imports.rejected_rows import RejectedRows
from ledger.imports.reward_rows import RewardRow, RewardRows, RowRefused
from schemas.rewards import IssueReward

EVERY = (
    "EMAIL,VALUE_REMAINING,VALUE_INITIAL,TIMEZONE,ISSUED_AT,REWARD_DEFINITION_ID,"
    "HAS_NOTIFIED_ISSUE,HAS_NOTIFIED_EXPIRY,EXPIRES_AT"
)


def read(content: bytes) -> "list[IssueReward | str]":
    """Each row's command, or its line and what is wrong with it."""
    found: list[IssueReward | str] = []
    for each in RewardRows(CsvLines(io.BytesIO(content))):
        if not isinstance(each, RewardRow):
            found.append(f"{each[0].number}: {each[1]}")
            continue
        try:
            found.append(each.command(each.profile_id or "found"))
        except RowRefused as refused:
            found.append(f"{each.line.number}: {refused}")
    return found


def test_a_row_with_every_column_of_the_original_platform() -> None:
    row = "a@example.org,5.50,10,Australia/Melbourne,2026-02-01,6,1,0,2026-03-01"
    (command,) = read(csv(row, head=EVERY))
    assert isinstance(command, IssueReward)
    assert command.value_initial == Decimal(10)
    assert command.value_remaining == Decimal("5.5")
    assert command.issued_at == "2026-02-01 00:00:00"
    assert command.expires_at == "2026-03-01 23:59:59"
    assert (command.timezone, command.reward_definition_id) == ("Australia/Melbourne", 6)
    assert (command.has_notified_issue, command.has_notified_expiry) == (True, False)


def test_the_header_may_be_in_any_case_and_begin_with_a_mark_of_its_encoding() -> None:
    content = b"\xef\xbb\xbf" + csv("p-1,birthday", head=" profile_id ,Reward_Definition_Handle")
    assert [type(each) for each in read(content)] == [IssueReward]


def test_an_empty_cell_leaves_it_to_the_definition_and_never_means_no_end() -> None:
    head = "PROFILE_ID,REWARD_DEFINITION_ID,EXPIRES_AT"
    left_out, endless = read(csv("p-1,6,", "p-1,6,never", head=head))
    assert isinstance(left_out, IssueReward)
    assert "expires_at" not in left_out.model_fields_set
    assert isinstance(endless, IssueReward)
    assert "expires_at" in endless.model_fields_set
    assert endless.expires_at is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"\n\n", "The file is empty"),
        (b"EMAIL\n", "A column is missing: REWARD_DEFINITION_ID or REWARD_DEFINITION_HANDLE."),
        (b"REWARD_DEFINITION_ID\n", "A column is missing: EMAIL or PROFILE_ID."),
        (b"PROFILE_ID,REWARD_DEFINITION_ID,POINTS\n", "not known here: 'POINTS'."),
        (b"PROFILE_ID;REWARD_DEFINITION_ID\n", "commas stand between them"),
        (b"PROFILE_ID,profile_id,REWARD_DEFINITION_ID\n", "stand there twice: 'PROFILE_ID'."),
        (b"," * 1_000_000, "longer than"),
        (b"," * 100, "more than 64 columns"),
        (b'"PROFILE_ID,REWARD_DEFINITION_ID\n', "A quote is opened"),
        (b"\xff\xfePROFILE_ID\n", "not UTF-8"),
        (b"PK\x03\x04\x00\x00\n", "NUL"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_as_a_whole(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(content)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 600


HEAD = "PROFILE_ID,EMAIL,REWARD_DEFINITION_ID,VALUE_INITIAL,TIMEZONE,EXPIRES_AT"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (b"p-1,,6", "The row has 3 columns, the first line 6."),
        (b",,6,,,", "EMAIL or PROFILE_ID"),
        (b",no-address,6,,,", "EMAIL: Give an e-mail address."),
        (b"p 1,,6,,,", "PROFILE_ID: Give an id: 1 to 64"),
        (b"p-1,,,,,", "name one definition"),
        (b"p-1,,six,,,", "REWARD_DEFINITION_ID: Give a whole number"),
        (b"p-1,,6,1e3,,", "VALUE_INITIAL: Give a plain decimal"),
        (b"p-1,,6,-5,,", "VALUE_INITIAL: Give a number that is not negative."),
        (b"p-1,,6,9.999,,", "VALUE_INITIAL: Give at most 2 decimals."),
        (b'p-1,,6,"1,000",,', "VALUE_INITIAL: Give a plain decimal"),
        (b"p-1,,6,=1+1,,", "VALUE_INITIAL: Give a plain decimal"),
        (b"p-1,,6,,Mars/Olympus,", "TIMEZONE: Give the IANA name"),
        (b"p-1,,6,,,2026-02-30", "EXPIRES_AT: Give an existing date"),
        (b"p-1,,6,,,01/02/2026", "EXPIRES_AT: Give the time as"),
        (b'p-1,,6,"10,,', "A quote is opened"),
        (b'p-1,,6,"10"0,,', "A quote is opened"),
        (b"p-1,,6,\x00,,", "NUL"),
        (b"p-1,,6,\xff,,", "not UTF-8"),
        (b"p-1,,6,1\r0,,", "carriage return"),
        (b"p-1,,6," + b"1" * LINE_BYTES_MAX + b",,", "longer than"),
        (b"p-1,,6," + b"," * 100, "more than 64 columns"),
    ],
)
def test_a_hostile_row_spoils_no_other(row: bytes, said: str) -> None:
    content = b"\n".join((HEAD.encode(), b"p-0,,6,,,", row, b"", b",,,,,", b"p-2,,6,,,"))
    before, wrong, after = read(content)
    assert isinstance(wrong, str)
    assert wrong.startswith("3: ")
    assert said in wrong
    assert (getattr(before, "profile_id", ""), getattr(after, "profile_id", "")) == ("p-0", "p-2")


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+61 4", "-5", "@home", "plain", "'quoted"])
def test_a_spreadsheet_takes_no_cell_for_a_formula_and_it_comes_back_as_it_was(cell: str) -> None:
    assert not escaped(cell).startswith(("=", "+", "-", "@"))
    assert unescaped(escaped(cell)) == cell


def test_rejected_rows_are_a_file_that_can_be_read_again() -> None:
    content = csv(
        "p-1,6,=1+1,ext",
        'p-2,"6,5,ext',
        head="PROFILE_ID,REWARD_DEFINITION_ID,VALUE_INITIAL,EXTERNAL_ID",
    )
    rows = RewardRows(CsvLines(io.BytesIO(content)))
    rejected = RejectedRows(rows.lines.columns)
    text = rejected.header
    for each in rows:
        line, why = (each.line, "VALUE_INITIAL: wrong.") if isinstance(each, RewardRow) else each
        text += rejected.row(line, str(why))
    assert text.splitlines()[1] == "p-1,6,'=1+1,ext,2,VALUE_INITIAL: wrong."
    corrected = text.replace("'=1+1", "2").splitlines()[:2]
    (command,) = read("\n".join(corrected).encode())
    assert isinstance(command, IssueReward)
    again = [str(each) for each in read(text.encode())]
    assert len(again) == 2
