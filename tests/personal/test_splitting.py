"""What of a command is personal: taken out, put back, and declared wherever it may hide."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

import ledger.commands  # noqa: F401 - every command is a class by then
from api.app import routers
from ledger.submission import Submission
from schemas.commands import Command
from schemas.personal import is_clear, laid_on, merged, overlay, split
from schemas.redemptions import MakeRedemption, RedemptionTerms
from schemas.reward_definitions import DefinitionText
from schemas.rewards import RecordDueFacts, RevokeReward
from schemas.transaction_changes import UpsertTransaction
from schemas.transactions import RecordTransaction

LINE = {"name": "Cake", "quantity": 1, "price_current": 1, "price_sell": 1}
SALE = {
    "total": 1,
    "transacted_at": "2031-01-01 00:00:00",
    "timezone": "UTC",
    "items": [LINE, LINE | {"meta": {"for": "Ada"}}],
    "payments": [{"amount": 1, "meta": {"card": "Ada L"}}],
    "receipt_email": "ada@example.org",
    "meta": {"till": 3},
}
PERSONAL = {
    "receipt_email": "ada@example.org",
    "meta": {"till": 3},
    "items": {"1": {"meta": {"for": "Ada"}}},
    "payments": {"0": {"meta": {"card": "Ada L"}}},
}


def test_what_is_personal_is_taken_out_whole() -> None:
    command = RecordTransaction.model_validate(SALE)
    rest, fields = split(command)
    assert fields == PERSONAL
    assert "Ada" not in repr(rest)
    assert "ada@" not in repr(rest)
    assert len(rest.items) == 2
    assert is_clear(command)
    assert not is_clear(rest)
    assert rest.model_fields_set == command.model_fields_set
    assert command.receipt_email == "ada@example.org"


def test_a_command_without_any_stays_as_it_is() -> None:
    for command in (RevokeReward(reward_id=1), RecordDueFacts(profile_id="p-1")):
        rest, fields = split(command)
        assert rest is command
        assert fields == {}


def test_a_null_that_says_more_is_told_and_hides_nothing() -> None:
    command = UpsertTransaction.model_validate({"external_id": "s-1", "receipt_email": None})
    rest, fields = split(command)
    assert fields == {"receipt_email": None}
    assert "receipt_email" in rest.model_fields_set
    Submission(rest, "till", "till", personal="sealed")


def test_what_was_taken_out_goes_back_to_its_place() -> None:
    document: dict[str, Any] = {
        "meta": None,
        "receipt_email": None,
        "items": [{"meta": None}, {"meta": None}],
        "payments": [],
    }
    overlay(document, PERSONAL | {"unheard_of": 1})
    assert document == {
        "meta": {"till": 3},
        "receipt_email": "ada@example.org",
        "items": [{"meta": None}, {"meta": {"for": "Ada"}}],
        "payments": [],
    }


def test_later_layers_win_and_forget_what_they_replace() -> None:
    layers = laid_on(None, None, ["items"])
    assert layers is None
    layers = laid_on(laid_on(layers, "one"), "two", ["items"])
    assert layers == ["one", {"without": ["items"]}, "two"]
    first = {"meta": 1, "items": {"0": {"meta": 1}}, "receipt_email": "a"}
    found = merged([first, {}, {"receipt_email": None}], [(), ["items"], ()])
    assert found == {"meta": 1, "receipt_email": None}
    assert merged([None, {"meta": 2}], [(), ()]) == {"meta": 2}


def test_nothing_personal_gets_past_the_edge_in_clear() -> None:
    command = MakeRedemption(profile_id="p-1", amount=1, meta={"for": "Ada"})
    with pytest.raises(ValueError, match="MakeRedemption is not sealed") as refusal:
        Submission(command, "till", "till")
    assert "Ada" not in str(refusal.value)
    Submission(split(command)[0], "till", "till", personal="sealed")


# ── Every field that may be about a person is declared, or known not to be ───────────────────────

SUSPICIOUS = re.compile(
    r"meta|reason|custom|e_?mail|phone|mobile|(first|last|full|middle|family|given)_?name|birth"
    r"|address|identifier|notes?$|comment|gender|title|free_text"
)
KEPT_NOWHERE = {"Basket", "IdentitySought"}
"""Questions: they are answered, and nothing of them stays."""
ROWS = ("rewards.*.", "transactions.*.")
"""Of a batch: each is a command of its own."""
OF_DEFINITIONS = {"meta", "internal_notes"}
"""About nobody."""
HARMLESS = {
    "items.*.discounts.*.reason_desc": "the name of the till's price reduction",
    "receipt_is_email": "yes or no",
}


def commands() -> list[type[Command]]:
    """Every command, and every body a route makes one from."""
    assert routers()
    found: list[type[Command]] = []
    ahead = [Command]
    while ahead:
        below = ahead.pop().__subclasses__()
        ahead.extend(below)
        found.extend(each for each in below if not each.__module__.startswith("tests"))
    return sorted(set(found), key=lambda each: each.__name__)


def paths(schema: dict[str, Any], definitions: dict[str, Any], deep: int = 0) -> Iterator[str]:
    """The dotted paths of all fields a JSON Schema has."""
    schema = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    for option in schema.get("anyOf", ()):
        yield from paths(option, definitions, deep)
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from (f"{name}.{path}" for path in paths(inner, definitions, deep + 1))
    if isinstance(schema.get("items"), dict):
        yield from (f"*.{path}" for path in paths(schema["items"], definitions, deep + 1))


@pytest.mark.parametrize("command", commands(), ids=lambda each: each.__name__)
def test_every_field_that_may_be_personal_is_declared_or_known_to_be_harmless(
    command: type[Command],
) -> None:
    schema = command.model_json_schema()
    found = set(paths(schema, schema.get("$defs", {})))
    suspicious = {
        path
        for path in found
        if SUSPICIOUS.search(path.rpartition(".")[2]) and not path.startswith(ROWS)
    }
    known = HARMLESS.keys() | (OF_DEFINITIONS if issubclass(command, DefinitionText) else set())
    if command.__name__ not in KEPT_NOWHERE:
        assert suspicious - known <= command.PERSONAL
    assert found >= command.PERSONAL, "declared, and not there"
    assert set(command.SEARCHED) <= command.PERSONAL


def test_a_body_declares_what_its_command_does() -> None:
    assert MakeRedemption.PERSONAL == RedemptionTerms.PERSONAL == {"meta"}
