"""The list of codes is what the code can say, and each code is provoked by a test."""

import ast
import re
from pathlib import Path

import pytest
from http_api.ledger_client import CODES_SEEN, FACTS_SEEN, Api

import api as api_package
import consumers as consumers_package
from api.error_catalogue import entries, page
from schemas import json_text

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "errors.md"
NOT_OVER_THE_CLIENT = {
    "bad_request",  # the framework's own, and the toy's of test_problems.py
    "unknown_command",  # comes over Kafka, see tests/intake
}


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == page()


def test_each_code_has_a_meaning_and_a_remedy() -> None:
    for entry in entries():
        assert entry.meaning.endswith("."), entry
        assert entry.remedy.endswith("."), entry


SAYING = {"Refused", "Unreadable", "NotUnderstood", "CommandRefused", "_later", "problem"}
NOT_TOLD = {"not_a_command"}  # the dead letter has the reason, and no code


def test_each_code_that_is_said_is_listed() -> None:
    """`Refused(422, "code", …)`, `CommandRefused(code="code", …)`, wherever they stand."""
    said = set()
    rooms = [Path(str(room.__file__)).parent for room in (api_package, consumers_package)]
    for path in (*rooms[0].rglob("*.py"), *rooms[1].rglob("*.py"), Path(json_text.__file__)):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SAYING:
                given = [*node.args, *(each.value for each in node.keywords if each.arg == "code")]
                values = [each.value for each in given if isinstance(each, ast.Constant)]
                said |= {v for v in values if isinstance(v, str) and v.replace("_", "").isalpha()}
    assert said > {"validation_failed", "command_too_large", "unknown_command"}
    assert said - NOT_TOLD <= {entry.code for entry in entries()}


def test_each_code_is_named_by_a_test() -> None:
    """Also where only some tests run; that each is provoked the last test of this page says."""
    named = set()
    for path in HERE.parent.rglob("*.py"):
        named |= {
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    assert {entry.code for entry in entries()} <= named


def facts_named(code: str) -> tuple[set[str], set[str]]:
    """What a code's entries say in backticks, and what of it they say an answer has."""
    texts = [f"{e.meaning} {e.remedy}" for e in entries() if e.code == code]
    named = {name for text in texts for name in re.findall(r"`([a-z_]+)`", text)}
    meanings = [e.meaning for e in entries() if e.code == code]
    return named, {name for text in meanings for name in re.findall(r"`([a-z_]+)` says", text)}


def test_facts_are_named_as_answers_have_them() -> None:
    assert "available" in facts_named("insufficient_balance")[1]
    assert "_minor`" not in page()


async def test_every_code_is_provoked_by_a_test(api: Api, request: pytest.FixtureRequest) -> None:
    """Comes last; a run of some of the tests says nothing."""
    run = {Path(item.path) for item in request.session.items}
    if not set(HERE.glob("test_*.py")) <= run:
        pytest.skip("only in a run of all tests of the HTTP API")
    codes = {entry.code for entry in entries()} - NOT_OVER_THE_CLIENT
    assert codes <= CODES_SEEN
    facts = {code: (FACTS_SEEN[code], *facts_named(code)) for code in codes}
    wrong = {code: of for code, of in facts.items() if not of[2] <= of[0] <= of[1]}
    assert not wrong, "facts seen, named, and promised"
