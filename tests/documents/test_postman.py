"""The Postman collection walks the article's four steps, with its payloads, again and again."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from documents.postman import Run
from http_api.ledger_client import Api
from jsonschema import Draft7Validator

from api.examples import DEFINITION_BODY, PROFILE_ID, REDEMPTION_BODY, REWARD_BODY, TRANSACTION_BODY

FILE = Path(__file__).parents[2] / "docs" / "postman" / "rewards.postman_collection.json"
COLLECTION: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
MOVED = {"issued_at", "expires_at", "transacted_at"}
BOUND = {"profile_id", "reward_definition_id", "redemption_id", "external_id"}
FORMAT: dict[str, Any] = {
    # What this collection uses of the format v2.1.0, and no more.
    "type": "object",
    "required": ["info", "item", "variable", "auth"],
    "properties": {
        "info": {
            "required": ["name", "schema"],
            "properties": {
                "schema": {
                    "const": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
                }
            },
        },
        "auth": {"required": ["type", "bearer"], "properties": {"type": {"const": "bearer"}}},
        "item": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/item"}},
        "variable": {"type": "array", "items": {"required": ["key", "value"]}},
    },
    "definitions": {
        "item": {
            "required": ["name", "request", "event"],
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string"},
                "request": {"$ref": "#/definitions/request"},
                "event": {"type": "array", "items": {"$ref": "#/definitions/event"}},
            },
        },
        "request": {
            "required": ["method", "header", "url"],
            "additionalProperties": False,
            "properties": {
                "method": {"enum": ["GET", "POST"]},
                "description": {"type": "string"},
                "header": {"type": "array", "items": {"required": ["key", "value"]}},
                "url": {
                    "required": ["raw", "host", "path"],
                    "additionalProperties": False,
                    "properties": {
                        "raw": {"type": "string"},
                        "host": {"const": ["{{base_url}}"]},
                        "path": {"type": "array", "items": {"type": "string"}},
                        "query": {"type": "array", "items": {"required": ["key", "value"]}},
                    },
                },
                "body": {
                    "required": ["mode", "raw", "options"],
                    "properties": {"mode": {"const": "raw"}, "raw": {"type": "string"}},
                },
            },
        },
        "event": {
            "required": ["listen", "script"],
            "properties": {
                "listen": {"enum": ["prerequest", "test"]},
                "script": {
                    "required": ["type", "exec"],
                    "properties": {
                        "type": {"const": "text/javascript"},
                        "exec": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        },
    },
}


def bodies() -> list[dict[str, Any]]:
    """The bodies as they stand, a bare variable quoted so that they are JSON."""
    return [
        json.loads(
            re.sub(r"(?<!\")\{\{(\w+)\}\}(?!\")", r'"{{\1}}"', item["request"]["body"]["raw"])
        )
        for item in COLLECTION["item"]
        if "body" in item["request"]
    ]


async def walked(api: Api, **given: str) -> Run:
    run = Run(COLLECTION, api.client, base_url="http://ledger", token=api.token, **given)
    await run.run()
    return run


def test_it_has_the_form_of_a_collection() -> None:
    assert [error.message for error in Draft7Validator(FORMAT).iter_errors(COLLECTION)] == []
    for item in COLLECTION["item"]:
        url = item["request"]["url"]
        query = "&".join(f"{each['key']}={each['value']}" for each in url.get("query", ()))
        path = "/".join([*url["host"], *url["path"]])
        assert url["raw"] == (f"{path}?{query}" if query else path)


def test_its_variables_are_those_it_names() -> None:
    variables = {each["key"]: each["value"] for each in COLLECTION["variable"]}
    text = json.dumps(COLLECTION["item"]) + json.dumps(COLLECTION["auth"])
    used = set(re.findall(r"\{\{(\w+)\}\}", text)) | {"profile_id"}
    assert used | {"reward_id"} == set(variables)
    assert variables["base_url"] == "http://127.0.0.1:8080"
    assert variables["token"] == variables["profile_id"] == ""


def test_its_payloads_are_the_articles_but_for_dates_and_ids() -> None:
    article = [DEFINITION_BODY, REWARD_BODY, REDEMPTION_BODY, TRANSACTION_BODY]
    for body, printed in zip(bodies(), article, strict=True):
        assert set(body) == set(printed)
        assert {name: value for name, value in body.items() if name not in MOVED | BOUND} == {
            name: value for name, value in printed.items() if name not in MOVED | BOUND
        }


async def test_every_step_gives_what_the_article_says_on_every_run(api: Api) -> None:
    api.clock.now = datetime.now(UTC)
    first = await walked(api)
    assert [failure for _, failure in first.checks if failure] == []
    assert len(first.checks) == len(COLLECTION["item"])
    second = await walked(api)
    assert [failure for _, failure in second.checks if failure] == []
    assert second.variables["definition_id"] == first.variables["definition_id"]
    assert second.variables["run_profile_id"] != first.variables["run_profile_id"]
    assert second.variables["external_id"] != first.variables["external_id"]


async def test_a_profile_of_ones_own_is_used(api: Api) -> None:
    api.clock.now = datetime.now(UTC)
    run = await walked(api, profile_id=PROFILE_ID)
    assert run.variables["run_profile_id"] == PROFILE_ID
    assert (await api.data(f"/profiles/{PROFILE_ID}/balances"))["reward_balance"] == 0


async def test_a_wrong_balance_is_noticed(api: Api) -> None:
    api.clock.now = datetime.now(UTC)
    definition = await api.made("/rewards/definitions", DEFINITION_BODY)
    await api.made(
        "/rewards",
        {"profile_id": PROFILE_ID, "reward_definition_id": definition["id"], "value_initial": 1},
    )
    run = await walked(api, profile_id=PROFILE_ID)
    assert [(name, failure) for name, failure in run.checks if failure] == [
        ("The reward balance is 10", "Error: 11 is not 10"),
        ("10 is redeemed, from the one reward", "Error: 2 is not 1"),
        ("The reward balance is 0", "Error: 1 is not 0"),
    ]
