"""The article's steps, one call each, against a running ledger."""

from typing import Any
from uuid import uuid4

from command_line.ledger_command import Up

from api.examples import DEFINITION_BODY, REDEMPTION_BODY, TRANSACTION_BODY

API = "/api/v3"


def made(up: Up, path: str, body: object, **headers: str) -> Any:
    """What a POST creates."""
    answer = up.request("POST", f"{API}{path}", body, **headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def read(up: Up, path: str) -> Any:
    """What a GET gives."""
    answer = up.request("GET", f"{API}{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def defined(up: Up) -> int:
    """Step 1, under a handle of its own."""
    body = DEFINITION_BODY | {"handle": f"birthday-{uuid4().hex}"}
    return int(made(up, "/rewards/definitions", body)["id"])


def issued(up: Up, definition_id: int, profile: str, value: str = "10") -> Any:
    """Step 2, valid for the definition's period."""
    body = {
        "reward_definition_id": str(definition_id),
        "profile_id": profile,
        "value_initial": value,
        "value_remaining": value,
        "timezone": "Australia/Melbourne",
    }
    return made(up, "/rewards", body)


def redeemed(up: Up, profile: str) -> Any:
    """Step 3."""
    return made(up, f"/profiles/{profile}/redeem", REDEMPTION_BODY)


def sold(up: Up, profile: str, redemption_id: int) -> Any:
    """Step 4."""
    body = TRANSACTION_BODY | {
        "profile_id": profile,
        "redemption_id": redemption_id,
        "external_id": uuid4().hex,
    }
    return made(up, "/transactions", body)
