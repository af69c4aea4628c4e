"""The article's payloads, as examples of the OpenAPI document. Its dates are past, and accepted."""

from typing import Any, Final

DEFINITION_BODY: Final[dict[str, Any]] = {
    "name": "Birthday Reward",
    "handle": "birthday-reward",
    "value": "10",
    "type": "birthday",
    "period": "30",
    "description": "Birthday reward valid for 30 days",
    "short_description": "It's your birthday! $10 for you!",
    "long_description": "<p> Another year! enjoy $10 off your purchase </p>",
    "terms_conditions": "Valid for 30 days",
    "earn_instructions": "Be a member with us, and receive $10 off on your B'day!",
    "icon": "",
    "image_url": "",
    "internal_notes": "Available once per year",
    "is_assignable": True,
    "is_reassignable": False,
    "is_extendable": False,
    "tags": [],
}
PROFILE_REWARD_BODY: Final[dict[str, Any]] = {
    "reward_definition_id": "6",
    "value_initial": "10",
    "value_remaining": "10",
    "expires_at": "2022-02-10 12:59:59",
    "issued_at": "2021-02-10 10:00:00",
    "timezone": "Australia/Melbourne",
}
PROFILE_ID: Final = "8f3c2b1e-0000-4000-8000-000000000001"
REWARD_BODY: Final[dict[str, Any]] = PROFILE_REWARD_BODY | {"profile_id": PROFILE_ID}
REDEMPTION_BODY: Final[dict[str, Any]] = {"strategies": ["rewards"], "amount": "10"}
TRANSACTION_BODY: Final[dict[str, Any]] = {
    "total": "10",
    "profile_id": PROFILE_ID,
    "transacted_at": "2021-02-10 00:00:00",
    "timezone": "Australia/Melbourne",
    "items": [
        {
            "name": "Birthday Cake",
            "product_variant_id": "1",
            "quantity": "1",
            "price_current": 9.99,
            "price_sell": 9.99,
            "is_void": False,
            "price_original": 9.99,
            "price_margin": 1,
            "tags": ["birthday"],
        }
    ],
    "redemption_id": 158,
    "external_id": "91040123233311",
    "total_original": 9.99,
    "is_void": False,
    "margin": 1,
}
SETTINGS_BODY: Final[dict[str, Any]] = {
    "zone": "Australia/Melbourne",
    "reversal_window_seconds": 600,
    "issue_max": "100",
}
PROFILE_BODY: Final[dict[str, Any]] = {
    "id": "p-1001",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.org",
    "type": "active",
    "tags": ["vip"],
    "meta": {"store": "Melbourne"},
}
PROFILE_CHANGES_BODY: Final[dict[str, Any]] = {"last_name": "King", "mobile_phone": "+61400000000"}
MERGE_BODY: Final[dict[str, Any]] = {"winner": PROFILE_ID, "loser": "p-2"}

UPSERT_BODY: Final[dict[str, Any]] = {
    "external_id": "91040123233312",
    "source_version": 2,
    "total": "15.50",
    "transacted_at": "2021-02-10 11:15:00",
    "timezone": "Australia/Melbourne",
    "receipt_ref": "0042",
    "location_id": 3,
    "items": [
        {
            "name": "Birthday Cake",
            "sku": "cake",
            "quantity": 1,
            "price_current": 15.5,
            "price_sell": 15.5,
        }
    ],
}
GOODS_BACK_BODY: Final[dict[str, Any]] = {
    "external_id": "91040123233399",
    "total": "-15.50",
    "transacted_at": "2021-02-11 09:00:00",
    "timezone": "Australia/Melbourne",
    "linked_receipt_ref": "0042",
    "location_id": 3,
    "return_redemption": True,
    "items": [
        {
            "name": "Birthday Cake",
            "sku": "cake",
            "quantity": -1,
            "price_current": 15.5,
            "price_sell": 15.5,
        }
    ],
}
CLAIM_BODY: Final[dict[str, Any]] = {
    "transaction_receipt_ref": "0043",
    "transaction_total": "15.50",
    "transaction_transacted_at": "2021-02-10 11:15:00",
    "transaction_timezone": "Australia/Melbourne",
    "transaction_location_external_code": "3",
}

ESTIMATE_BODY: Final[dict[str, Any]] = {
    "profile_id": PROFILE_ID,
    "total": "15.50",
    "items": UPSERT_BODY["items"],
}


def _named(summary: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"example": {"summary": summary, "value": body}}


def _example(body: dict[str, Any]) -> dict[str, Any]:
    return {"article": {"summary": "As in the article", "value": body}}


def _rows(field: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"article": {"summary": "One as in the article", "value": {field: [body]}}}


def _one(summary: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"one": {"summary": summary, "value": body}}


ADJUSTMENT: Final = _one("Less remains", {"value_remaining": "5", "reason": "issued twice"})
EXTENSION: Final = _one("A month more", {"profile_id": PROFILE_ID, "ids": [17], "extend_days": 30})
REVOCATION: Final = _one("Why", {"reason": "given by mistake"})
DEFINITION: Final = _example(DEFINITION_BODY)
REWARD: Final = _example(REWARD_BODY)
PROFILE_REWARD: Final = _example(PROFILE_REWARD_BODY)
REWARDS: Final = _rows("rewards", REWARD_BODY)
REDEMPTION: Final = _example(REDEMPTION_BODY) | {
    "hold": {
        "summary": "Set value aside until the payment has succeeded",
        "value": {"amount": 5, "hold": "PT15M", "transaction_external_id": "w-1001"},
    },
    "limits": {
        "summary": "With the sale's total, which some rewards ask for",
        "value": {"amount": "2.50", "transaction_total": "80.00"},
    },
}
CAPTURE: Final[dict[str, Any]] = {
    "part": {"summary": "A part; the rest is released", "value": {"amount": "4.00"}}
}
RETURN: Final[dict[str, Any]] = {
    "part": {
        "summary": "A part, with the receipt of the return",
        "value": {"amount": "5.00", "transaction_receipt_ref": "R-77"},
    }
}
SETTINGS: Final = {"staff": {"summary": "A zone, and a limit of staff", "value": SETTINGS_BODY}}
TRANSACTION: Final = _example(TRANSACTION_BODY)
TRANSACTIONS: Final = _named(
    "One sale", {"transactions": [UPSERT_BODY | {"external_id": "91040123233313"}]}
)
UPSERT: Final = _named("A sale, recorded or changed", UPSERT_BODY) | {
    "return": {"summary": "Goods come back", "value": GOODS_BACK_BODY}
}
CLAIM: Final = _named("What a receipt says", CLAIM_BODY)
PROFILE: Final = {"member": {"summary": "A new member", "value": PROFILE_BODY}}
PROFILE_CHANGES: Final = {"married": {"summary": "A new name", "value": PROFILE_CHANGES_BODY}}
MERGE: Final = {"duplicate": {"summary": "Two cards of one member", "value": MERGE_BODY}}
ESTIMATE: Final = _named("A basket", ESTIMATE_BODY)
TOKEN: Final[dict[str, Any]] = {
    "till": {
        "summary": "A till",
        "value": {
            "client": "till",
            "name": "Till 3",
            "scopes": ["read-profiles", "redeem-strategy"],
        },
    }
}
USER: Final[dict[str, Any]] = {
    "staff": {
        "summary": "Somebody at a counter",
        "value": {"name": "ada", "role": "staff", "password": "correct horse battery"},
    }
}
USER_CHANGES: Final[dict[str, Any]] = {
    "left": {"summary": "Somebody who has left", "value": {"disabled": True}}
}
IDENTITY: Final = {
    "card": {"summary": "A card", "value": {"handle": "card", "identifier": "29000017"}},
}
SEARCH_ID: Final = {
    "card": {"summary": "Whose card is it?", "value": {"identifier": "29000017", "handle": "card"}},
}
