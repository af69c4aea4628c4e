"""The catalog is what the classes say, and may only grow."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

import schemas.catalog
from ledger.commands import HANDLERS
from schemas.catalog import (
    committed,
    documents,
    event_schema,
    file_name,
    our_commands,
    our_events,
    text_of,
)
from schemas.catalog.__main__ import main
from schemas.catalog.compatibility import problems
from schemas.events import encode

REDEMPTION = "events/RedemptionMade.v1.json"
ISSUE = "commands/IssueReward.json"
EVENTS = {file_name(cls): cls for cls in our_events()}


def changed(name: str, **of: Any) -> dict[str, dict[str, Any]]:
    """The catalog with one schema changed: `add`, `remove`, `require`, `optional`, `replace`."""
    catalog = copy.deepcopy(committed())
    schema = catalog[name]
    schema["properties"] |= of.get("add", {}) | of.get("replace", {})
    for field in of.get("remove", ()):
        del schema["properties"][field]
        schema["required"] = [each for each in schema["required"] if each != field]
    schema["required"] = sorted({*schema.get("required", ()), *of.get("require", ())})
    schema["required"] = [each for each in schema["required"] if each not in of.get("optional", ())]
    return catalog


def test_the_committed_catalog_still_holds() -> None:
    assert problems(committed(), documents()) == []


def test_the_committed_catalog_is_what_the_classes_say() -> None:
    assert {name: text_of(schema) for name, schema in committed().items()} == {
        name: text_of(schema) for name, schema in documents().items()
    }, "run: python -m schemas.catalog"


def test_every_command_of_the_write_side_is_in_the_catalog() -> None:
    assert set(our_commands()) == set(HANDLERS)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_events_example_and_its_stored_bytes_fit_its_schema(name: str) -> None:
    event = EVENTS[name]
    schema = event_schema(event)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    validator.validate(event.EXAMPLE)
    stored = json.loads(encode(event.model_validate(event.EXAMPLE)))
    validator.validate(stored)
    validator.validate(stored | {"a_field_of_later_days": 1})
    with pytest.raises(ValidationError):
        validator.validate(stored | {"movements": [{"lot": "seventeen"}]})


def test_a_new_optional_field_is_growth() -> None:
    assert problems(committed(), changed(REDEMPTION, add={"note": {"type": "string"}})) == []


def test_a_new_event_is_growth() -> None:
    assert problems(committed(), documents() | {"events/Other.v1.json": {}}) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"remove": ["total_minor"]}, "total_minor is removed or renamed"),
        ({"add": {"note": {"type": "string"}}, "require": ["note"]}, "note is required now"),
        ({"replace": {"total_minor": {"type": "string"}}}, "total_minor changes its type"),
        ({"optional": ["total_minor"]}, "total_minor may be missing now"),
        ({"replace": {"movements": {"type": "array"}}}, "movements changes its type: items goes"),
        ({"replace": {"external_id": {"anyOf": [{"type": "null"}]}}}, "2 kinds become 1"),
        (
            {"replace": {"strategies": {"type": "array", "items": {"const": "points"}}}},
            "loses the value 'rewards'",
        ),
    ],
)
def test_anything_else_asks_for_a_new_schema_version(change: dict[str, Any], said: str) -> None:
    found = problems(committed(), changed(REDEMPTION, **change))
    assert any(said in problem for problem in found), found
    assert all("Add a new schema version" in problem for problem in found)


def test_a_change_inside_a_shared_part_is_seen_too() -> None:
    catalog = copy.deepcopy(committed())
    catalog[REDEMPTION]["$defs"]["Movement"]["properties"]["lot"] = {"type": "string"}
    (found,) = problems(committed(), catalog)
    assert found.startswith(f"{REDEMPTION}: movements[].lot changes its type: type was integer")


def test_another_value_of_an_enumeration_is_growth_but_none_goes() -> None:
    catalog = copy.deepcopy(committed())
    books = catalog[REDEMPTION]["$defs"]["Book"]["enum"]
    books.append("lent")
    assert problems(committed(), catalog) == []
    books.remove("held")
    (found,) = problems(committed(), catalog)
    assert "movements[].from loses the value 'held'" in found


def test_an_event_never_goes() -> None:
    catalog = documents()
    del catalog[REDEMPTION]
    (found,) = problems(committed(), catalog)
    assert found == f"{REDEMPTION}: it is gone, but stored events need their class."


def test_a_sender_may_leave_out_more_but_need_not_send_more() -> None:
    assert problems(committed(), changed(ISSUE, optional=["profile_id"])) == []
    found = problems(committed(), changed(ISSUE, require=["external_id"]))
    assert found == [
        f"{ISSUE}: external_id is required now, and was not. Senders rely on it: keep the field as "
        "it is, or add another command."
    ]


def test_a_command_may_say_in_several_ways_what_it_said_in_one_but_an_event_may_not() -> None:
    one, several = {"type": "boolean"}, {"anyOf": [{"type": "boolean"}, {"enum": ["true"]}]}
    for name, breaks in ((ISSUE, False), (REDEMPTION, True)):
        before, after = (changed(name, replace={"strict": each}) for each in (one, several))
        assert bool(problems(before, after)) is breaks


def test_every_flag_of_a_command_is_one_tills_can_send() -> None:
    """A plain `bool` would take "no" for false."""

    def flags(schema: Any) -> int:
        if isinstance(schema, list):
            return sum(map(flags, schema))
        if not isinstance(schema, dict):
            return 0
        return (schema.get("type") == "boolean") + flags(list(schema.values()))

    commands = [documents()[f"commands/{cls.__name__}.json"] for cls in our_commands()]
    twins = str(commands).count("['true', 'false', '1', '0', 1, 0]")
    assert flags(commands) == twins > 0


def test_an_event_keeps_one_of_the_several_ways() -> None:
    asked = documents()["commands/RecordTransaction.json"]["$defs"]["Item"]["properties"]
    told = documents()["events/TransactionRecorded.v1.json"]["$defs"]["ItemFacts"]["properties"]
    assert len(asked["is_void"]["anyOf"]) == 2
    assert told["is_void"]["type"] == "boolean"


def test_the_generator_writes_what_has_grown_and_refuses_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("schemas.catalog.__main__.FOLDER", tmp_path)
    monkeypatch.setattr(schemas.catalog, "FOLDER", tmp_path)
    assert main() == 0
    assert committed() == documents()
    kept = tmp_path / REDEMPTION
    before = json.loads(kept.read_text("utf-8"))
    before["properties"]["lost"] = {"type": "string"}
    kept.write_text(text_of(before), "utf-8")
    assert main() == 1
    assert "lost is removed or renamed. Add a new schema version" in capsys.readouterr().err
    assert json.loads(kept.read_text("utf-8")) == before
