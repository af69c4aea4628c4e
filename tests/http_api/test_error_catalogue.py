"""The list of codes is what the code can say, and each code is provoked by a test."""

import ast
from pathlib import Path

import pytest
from http_api.ledger_client import CODES_SEEN, Api

import api as api_package
from api.error_catalogue import entries, page
from schemas import json_text

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "errors.md"
NOT_OVER_THE_CLIENT = {
    "bad_request",  # the framework's own, and the toy's of test_problems.py
    "read_model_parked",  # an event no fold can read: tests/projections
}


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == page()


def test_each_code_has_a_meaning_and_a_remedy() -> None:
    for entry in entries():
        assert entry.meaning.endswith("."), entry
        assert entry.remedy.endswith("."), entry


def test_each_code_the_api_raises_is_listed() -> None:
    """`Refused(422, "code", …)` and `Unreadable("code", …)`, wherever they stand."""
    said = set()
    package = Path(api_package.__file__).parent
    for path in (*package.rglob("*.py"), Path(json_text.__file__)):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "Refused",
                "Unreadable",
                "_later",
                "problem",
            ):
                values = [a.value for a in node.args if isinstance(a, ast.Constant)]
                said |= {v for v in values if isinstance(v, str) and v.replace("_", "").isalpha()}
    assert said
    assert said <= {entry.code for entry in entries()}


async def test_every_code_is_provoked_by_a_test(api: Api, request: pytest.FixtureRequest) -> None:
    """Comes last; a run of some of the tests says nothing."""
    run = {Path(item.path) for item in request.session.items}
    if not set(HERE.glob("test_*.py")) <= run:
        pytest.skip("only in a run of all tests of the HTTP API")
    assert {entry.code for entry in entries()} - NOT_OVER_THE_CLIENT <= CODES_SEEN
