"""What people do here: each deed with its form, what it asks of the ledger, and what is told first.

A deed is a dry run before it is done, and what was shown is what is done: should the ledger answer
otherwise at the second look, it is shown again. The key is made with the preview, so that a form
sent twice, or once more after going back, does it once.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from console import told
from console.formats import Formats, wall_time
from console.ledger_api import LedgerApi
from console.page import Page
from console.told import Told, left_of

About = Literal["profile", "reward", "redemption"]
Kind = Literal["money", "text", "number", "moment", "choice"]
Sent = Mapping[str, str]
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form, under the name the API has for it."""

    name: str
    title: str
    kind: Kind = "text"
    required: bool = False
    hint: str = ""
    choices: Choices = ()
    scope: str | None = None
    """Only for those who have it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command as the API takes it."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A deed about one thing."""

    name: str
    title: str
    about: About
    scope: str
    fields: tuple[Field, ...]
    asked: Callable[[str, Mapping[str, Any]], Asked]
    told: Callable[[Any, Formats], Told]
    when: Callable[[Mapping[str, Any]], bool] = lambda _: True
    """Whether it makes sense for the thing as the API shows it."""


async def form_of(action: Action, ledger: LedgerApi, page: Page) -> Sequence[Field]:
    """The fields this person gets, with the choices there are now."""
    fields = [each for each in action.fields if each.scope is None or page.may(each.scope)]
    return [await _with_choices(each, ledger) for each in fields]


def offered(page: Page, about: About, thing: Mapping[str, Any] | None = None) -> list[Action]:
    """The deeds this person may do about a thing."""
    return [
        action
        for action in ACTIONS.values()
        if action.about == about
        and page.may(action.scope)
        and (thing is None or action.when(thing))
    ]


def body_of(fields: Sequence[Field], sent: Sent) -> dict[str, Any]:
    """What a form says, as the API takes it; fields left empty are left out."""
    return {each.name: _value(each, sent[each.name]) for each in fields if sent.get(each.name)}


def _value(field: Field, text: str) -> Any:
    if field.kind == "moment":
        return wall_time(text)
    if field.kind == "money":
        return text.replace(",", ".") if re.fullmatch(r"\d+,\d{1,2}", text) else text
    return text


async def _with_choices(field: Field, ledger: LedgerApi) -> Field:
    if field.name != "reward_definition_id":
        return field
    found = await ledger.get("/rewards/definitions", **{"page[size]": 200, "sort": "name"})
    choices = [
        (str(each["id"]), f"{each['name']} ({each['value']})")
        for each in found.data
        if each.get("archived_at") is None
    ]
    return Field(field.name, field.title, "choice", required=True, choices=choices)


def _linked(thing: str, body: Mapping[str, Any]) -> Asked:
    path = f"/transactions/{body.get('transaction_id', '')}"
    return Asked("PUT", path, {"redemption_id": int(thing)})


def _is(status: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda redemption: redemption["status"] == status


def _can_be_returned(redemption: Mapping[str, Any]) -> bool:
    return _is("redeemed")(redemption) and not redemption["is_reversed"] and left_of(redemption) > 0


_REASON: Final = Field(
    "reason", "Reason", hint="Kept sealed with the event, and shown in its history."
)
_PERIOD: Final = (
    Field("extend_days", "By so many days", "number", hint="Left empty: as its definition says."),
    Field("extend_date", "Or until the end of", hint="A day, YYYY-MM-DD."),
)

ACTIONS: Final = {
    action.name: action
    for action in (
        Action(
            "issue",
            "Issue a reward",
            "profile",
            "create-rewards",
            (
                Field("reward_definition_id", "Definition", "choice", required=True),
                Field("value_initial", "Value", "money", hint="Left empty: the definition's."),
                Field(
                    "expires_at", "Expires", "moment", hint="Left empty: as the definition says."
                ),
            ),
            lambda profile_id, body: Asked("POST", f"/profiles/{profile_id}/rewards", body),
            told.reward,
        ),
        Action(
            "redeem",
            "Redeem",
            "profile",
            "redeem-strategy",
            (
                Field("amount", "Amount", "money", required=True),
                Field("transaction_total", "Total of the sale", "money"),
                Field("transaction_external_id", "Number of the sale"),
            ),
            lambda profile_id, body: Asked("POST", f"/profiles/{profile_id}/redeem", body),
            told.redemption,
        ),
        Action(
            "merge",
            "Merge another profile into this",
            "profile",
            "merge-profiles",
            (
                Field(
                    "loser_id",
                    "The profile that ends",
                    required=True,
                    hint="For good: all it has becomes this profile's.",
                ),
            ),
            lambda profile_id, body: Asked("POST", f"/profiles/{profile_id}/merge", body),
            told.profile,
        ),
        Action(
            "extend",
            "Extend",
            "reward",
            "update-rewards",
            _PERIOD,
            lambda thing, body: Asked("POST", "/rewards/extend", {**body, "ids": [int(thing)]}),
            told.rewards,
            lambda reward: not reward["is_revoked"] and reward["extended_at"] is None,
        ),
        Action(
            "adjust",
            "Adjust",
            "reward",
            "update-rewards",
            (
                Field("value_remaining", "Remains", "money", hint="What remains from now on."),
                Field("expires_at", "Expires", "moment"),
                _REASON,
            ),
            lambda thing, body: Asked("PUT", f"/rewards/{thing}", body),
            told.reward,
            lambda reward: not reward["is_revoked"],
        ),
        Action(
            "revoke",
            "Revoke",
            "reward",
            "delete-rewards",
            (Field("reason", "Reason", required=True, hint=_REASON.hint),),
            lambda thing, body: Asked("POST", f"/rewards/{thing}/revoke", body),
            told.reward,
            lambda reward: not reward["is_revoked"],
        ),
        Action(
            "reassign",
            "Give to another profile",
            "reward",
            "update-rewards",
            (Field("profile_id", "The profile that gets it", required=True),),
            lambda thing, body: Asked("POST", f"/rewards/{thing}/reassign", body),
            told.reward,
            lambda reward: not reward["is_revoked"] and Decimal(reward["value_remaining"]) > 0,
        ),
        Action(
            "reverse",
            "Reverse",
            "redemption",
            "redeem-strategy",
            (),
            lambda thing, _: Asked("POST", f"/redemptions/{thing}/reversal"),
            told.given_back,
            lambda redemption: _is("redeemed")(redemption) and not redemption["is_reversed"],
        ),
        Action(
            "capture",
            "Capture",
            "redemption",
            "redeem-strategy",
            (Field("amount", "Amount", "money", hint="Left empty: all of it. The rest is freed."),),
            lambda thing, body: Asked("POST", f"/redemptions/{thing}/capture", body),
            told.redemption,
            _is("held"),
        ),
        Action(
            "release",
            "Release",
            "redemption",
            "redeem-strategy",
            (),
            lambda thing, _: Asked("POST", f"/redemptions/{thing}/release"),
            told.released,
            _is("held"),
        ),
        Action(
            "link",
            "Link to a sale",
            "redemption",
            "update-transactions",
            (Field("transaction_id", "The sale's number in the ledger", "number", required=True),),
            _linked,
            told.sale,
            lambda redemption: (
                redemption["status"] in ("redeemed", "held")
                and redemption["transaction_id"] is None
                and not redemption["is_reversed"]
            ),
        ),
        Action(
            "return",
            "Return",
            "redemption",
            "return",
            (
                Field("amount", "Amount", "money", hint="Left empty: all that is still redeemed."),
                Field(
                    "policy",
                    "How",
                    "choice",
                    choices=(
                        ("", "as the programme says"),
                        ("reissue", "as a new reward"),
                        ("restore", "to the rewards it came from"),
                    ),
                    scope="return-policy",
                ),
            ),
            lambda thing, body: Asked("POST", f"/redemptions/{thing}/return", body),
            told.given_back,
            _can_be_returned,
        ),
    )
}
