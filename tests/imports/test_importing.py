"""The two phases over a ledger in memory."""

import asyncio

import pytest
from imports.imported import HEAD, NOW, Ledger, csv

from ledger.committer import Committer
from ledger.imports.writing import Sender, Writing
from ledger.submission import Submission
from schemas.rewards import IssueReward

TWO = csv("p-1,birthday", "p-2,birthday")


async def test_a_check_writes_nothing_and_tells_what_would_be(ledger: Ledger) -> None:
    before = await ledger.store.head()
    check, rejects = await ledger.check(TWO)
    assert await ledger.store.head() == before
    assert (check.tally.good, check.tally.rejected, rejects.lines) == (2, 0, {})
    ((rewards, value),) = [(of.rewards, of.value_minor) for of in check.tally.definitions.values()]
    assert (rewards, value) == (2, 2000)


async def test_every_good_row_is_written(ledger: Ledger) -> None:
    tally, _ = await ledger.bring_in(TWO)
    assert tally.good == 2
    assert await ledger.events("p-1") == ["ProfileRegistered", "RewardIssued"]


async def test_the_same_file_again_writes_nothing(ledger: Ledger) -> None:
    await ledger.bring_in(TWO)
    head = await ledger.store.head()
    check, rejects = await ledger.check(TWO)
    assert (check.tally.good, check.tally.done_before, rejects.lines) == (0, 2, {})
    tally, _ = await ledger.bring_in(TWO)
    assert (tally.good, tally.done_before) == (0, 2)
    assert await ledger.store.head() == head


async def test_two_who_import_one_file_at_once_write_it_once(ledger: Ledger) -> None:
    content = csv(*(f"p-{n % 7},birthday" for n in range(50)))
    other = Committer(ledger.store, clock=lambda: NOW)
    running = asyncio.create_task(other.run())
    check, rejects = await ledger.check(content)
    both = [
        Writing(ledger.store, ledger.profiles, [each.submit_all], Sender("import", b"k"), rejects)
        for each in (ledger.committer, other)
    ]
    await asyncio.gather(*(each.run(ledger.file(content), check.spoilt) for each in both))
    running.cancel()
    issued = [e for n in range(7) for e in await ledger.events(f"p-{n}") if e == "RewardIssued"]
    assert len(issued) == 50


async def test_an_import_cut_off_in_the_middle_goes_on_and_doubles_nothing(ledger: Ledger) -> None:
    content = csv(*(f"p-{n % 9},birthday" for n in range(3_000)))
    check, rejects = await ledger.check(content)
    lanes = [ledger.committer.submit_all]
    first = Writing(ledger.store, ledger.profiles, lanes, Sender("import", b"k"), rejects)
    cut = asyncio.create_task(first.run(ledger.file(content), check.spoilt))
    while not first.tally.good:
        await asyncio.sleep(0)
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    assert first.tally.good < 3_000
    tally, _ = await ledger.bring_in(content)
    assert tally.good + tally.done_before == 3_000
    assert tally.done_before
    issued = [e for n in range(9) for e in await ledger.events(f"p-{n}") if e == "RewardIssued"]
    assert len(issued) == 3_000


async def test_an_unknown_profile_is_an_error_unless_profiles_may_be_made(ledger: Ledger) -> None:
    await ledger.bring_in(csv("p-1,birthday"))
    check, rejects = await ledger.check(TWO, create_profiles=False)
    assert check.tally.good == 1
    assert list(rejects.lines) == [3]
    assert "(profile_not_found)" in rejects.lines[3]


async def test_an_email_finds_its_profile_and_an_unknown_one_is_an_error(ledger: Ledger) -> None:
    ledger.known["email", "ada@example.org"] = "p-ada"
    head = "EMAIL,REWARD_DEFINITION_HANDLE"
    tally, rejects = await ledger.bring_in(
        csv("ada@example.org,birthday", "eve@example.org,birthday", head=head)
    )
    assert tally.good == 1
    assert "RewardIssued" in await ledger.events("p-ada")
    assert rejects.lines == {3: "EMAIL: No profile is known by it, or more than one."}


async def test_email_and_profile_may_not_contradict_each_other(ledger: Ledger) -> None:
    ledger.known["email", "ada@example.org"] = "p-ada"
    content = csv(
        "ada@example.org,p-ada,birthday",
        "ada@example.org,p-eve,birthday",
        head="EMAIL,PROFILE_ID,REWARD_DEFINITION_HANDLE",
    )
    _, rejects = await ledger.check(content)
    assert list(rejects.lines) == [3]


async def test_any_identity_may_name_the_profile(ledger: Ledger) -> None:
    ledger.known["card", "0042"] = "p-card"
    head = "PROFILE_ID_HANDLE,PROFILE_ID,REWARD_DEFINITION_HANDLE"
    tally, rejects = await ledger.bring_in(csv("card,0042,birthday", "card,7,birthday", head=head))
    assert (tally.good, list(rejects.lines)) == (1, [3])


async def test_no_email_reaches_the_log(ledger: Ledger) -> None:
    ledger.known["email", "ada@example.org"] = "p-ada"
    head = "EMAIL,REWARD_DEFINITION_HANDLE"
    await ledger.bring_in(csv("ada@example.org,birthday", "eve@example.org,x", head=head))
    log = await ledger.store.read_log(after_position=0, limit=1_000)
    assert not any(b"example" in each.payload for each in log)


async def test_a_reward_past_its_expiry_is_issued_and_then_expired(ledger: Ledger) -> None:
    content = csv("p-1,birthday,2030-01-01,2030-02-01", head=f"{HEAD},ISSUED_AT,EXPIRES_AT")
    await ledger.bring_in(content)
    assert await ledger.events("p-1") == ["ProfileRegistered", "RewardIssued", "RewardExpired"]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ("p-1,nothing,,", "reward_definition_not_found"),
        ("p-1,retired,,", "reward_definition_not_assignable"),
        ("p-1,birthday,2030-01-02,2030-01-01", "invalid_reward_terms"),
        ("p-1,season,2030-01-01,", "reward_definition_not_started"),
    ],
)
async def test_a_row_the_ledger_would_refuse_is_told_before(
    ledger: Ledger, cells: str, code: str
) -> None:
    await ledger.define(handle="retired", is_assignable=False)
    await ledger.define(handle="season", start_at="2030-12-01 00:00:00", timezone="UTC")
    _, rejects = await ledger.check(csv(cells, head=f"{HEAD},ISSUED_AT,EXPIRES_AT"))
    assert code in rejects.lines[2]


@pytest.mark.parametrize("cap", ["max_per_profile", "max_total"])
async def test_rows_of_the_file_count_against_a_cap(ledger: Ledger, cap: str) -> None:
    await ledger.define(handle="capped", **{cap: 2})
    content = csv(*["p-1,capped"] * 3)
    check, rejects = await ledger.check(content)
    assert (check.tally.good, list(rejects.lines)) == (2, [4])
    tally, _ = await ledger.bring_in(content)
    assert tally.good == 2


async def test_a_file_run_again_is_not_stopped_by_what_it_has_issued_itself(ledger: Ledger) -> None:
    await ledger.define(handle="capped", max_per_profile=1)
    content = csv("p-1,capped")
    await ledger.bring_in(content)
    check, rejects = await ledger.check(content)
    assert (check.tally.done_before, rejects.lines) == (1, {})


async def test_an_external_id_is_taken_once(ledger: Ledger) -> None:
    content = csv("p-1,birthday,x", "p-2,birthday,x", head=f"{HEAD},EXTERNAL_ID")
    tally, rejects = await ledger.bring_in(content)
    assert (tally.good, list(rejects.lines)) == (1, [3])
    _, rejects = await ledger.check(csv("p-3,birthday,x", head=f"{HEAD},EXTERNAL_ID"))
    assert "external_id_taken" in rejects.lines[2]


async def test_corrected_rows_are_fed_back(ledger: Ledger) -> None:
    _, rejects = await ledger.bring_in(csv("p-1,birthday", "p-2,brithday"))
    corrected = rejects.text.replace("brithday", "birthday", 1).encode()
    tally, rejects = await ledger.bring_in(corrected)
    assert (tally.good, rejects.lines) == (1, {})
    assert "RewardIssued" in await ledger.events("p-2")


async def test_what_the_check_did_not_foresee_is_rejected_when_it_is_written(
    ledger: Ledger,
) -> None:
    await ledger.define(handle="capped", max_total=1)
    content = csv("p-1,capped")
    check, rejects = await ledger.check(content)
    issue = IssueReward(profile_id="p-9", reward_definition_handle="capped")
    await ledger.committer.submit(Submission(issue, "till", "till"))
    lanes = [ledger.committer.submit_all]
    writing = Writing(ledger.store, ledger.profiles, lanes, Sender("import", b"k"), rejects)
    await writing.run(ledger.file(content), check.spoilt)
    assert (writing.tally.good, writing.tally.rejected) == (0, 1)
    assert "max_total_reached" in rejects.lines[2]
