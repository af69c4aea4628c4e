"""Reward definitions: what there is, what each has become, and the form to add or change one."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

from starlette.responses import JSONResponse, Response

from console.formats import good_for, wall_time
from console.ledger_api import Refusal
from console.page import Page, new_key, page
from schemas.times import PeriodType

SIZE: Final = 50


class Term(NamedTuple):
    """A field of the form, under the API's own name."""

    name: str
    title: str
    kind: str = "text"
    required: bool = False
    hint: str = ""
    only_new: bool = False


TERMS: Final = (
    Term("name", "Name", required=True),
    Term(
        "handle",
        "Handle",
        required=True,
        hint="The name programs use. It never changes.",
        only_new=True,
    ),
    Term("value", "Value", "money", required=True),
    Term("type", "Type", required=True, hint="A label: birthday, welcome, goodwill …"),
    Term("period", "Period", "number", required=True, hint="How long a reward is good."),
    Term("period_type", "Unit of the period", "choice"),
    Term(
        "absolute_expiry",
        "Last day of every reward",
        "date",
        hint="With an absolute date as the unit.",
    ),
    Term("max_value", "The most one may be worth", "money"),
    Term("min_spend", "The least a sale must be", "money"),
    Term("max_redeem_per_transaction", "The most such rewards pay of one sale", "money"),
    Term("max_per_profile", "The most one profile is ever issued", "number"),
    Term("max_total", "The most that are ever issued", "number"),
    Term("extend_days", "Days of an extension", "number"),
    Term("start_at", "Issued from", "moment"),
    Term("end_at", "Issued until", "moment"),
    Term("timezone", "Time zone of these two", hint="IANA, such as Australia/Melbourne."),
    Term("eligibility", "Who may be issued one", "json", hint="JSON Logic; empty is everybody."),
    Term("short_description", "Short description"),
    Term("description", "Description"),
    Term("terms_conditions", "Terms and conditions"),
    Term("internal_notes", "Internal notes"),
    Term("is_assignable", "May be issued by hand", "flag"),
    Term("is_reassignable", "May be given to another profile", "flag"),
    Term("is_extendable", "May be extended", "flag"),
    Term("is_published", "Published", "flag"),
)
PERIODS: Final = get_args(PeriodType)


async def listed(page_: Page) -> Response:
    """All definitions with what is outstanding under each."""
    found, statistics = await asyncio.gather(
        page_.ledger.get(
            "/rewards/definitions",
            **{"page[size]": SIZE, "page[number]": page_.parameter("page") or 1},
        ),
        page_.ledger.find("/programme/statistics"),
    )
    outstanding = None
    if statistics is not None:
        of_each = statistics.data["outstanding"]["definitions"]
        outstanding = {each["reward_definition_id"]: each["value"] for each in of_each}
    return page_.show(
        "definitions.html",
        definitions=found.data,
        meta=found.meta,
        outstanding=outstanding,
        good_for=good_for,
    )


async def definition(page_: Page) -> Response:
    """One definition: its terms, its versions with what each changed, what is outstanding."""
    path = f"/rewards/definitions/{page_.part('number')}"
    found, versions, outstanding = await asyncio.gather(
        page_.ledger.get(path),
        page_.ledger.find(f"{path}/versions", **{"page[size]": 200}),
        page_.ledger.find(f"{path}/outstanding"),
    )
    return page_.show(
        "definition.html",
        definition=found.data,
        terms=TERMS,
        versions=versions.data if versions else [],
        outstanding=outstanding.data if outstanding else None,
        done=page_.done(),
    )


async def ask_new(page_: Page) -> Response:
    """The empty form."""
    sent = {"period": "30", "period_type": "days", "is_assignable": "true"}
    return _form(page_, None, sent, key=new_key())


async def ask_change(page_: Page) -> Response:
    """The form with the terms as they are."""
    found = await page_.ledger.get(f"/rewards/definitions/{page_.part('number')}")
    return _form(page_, found.data, _as_sent(found.data), key=new_key(), etag=found.etag)


async def add(page_: Page) -> Response:
    """Define a reward."""
    return await _send(page_, None)


async def change(page_: Page) -> Response:
    """Change it, unless somebody else has meanwhile."""
    found = await page_.ledger.get(f"/rewards/definitions/{page_.part('number')}")
    return await _send(page_, found.data)


async def check(page_: Page) -> Response:
    """What the ledger would say of the form as it stands: asked while somebody types."""
    number = page_.sent("number")
    before = (await page_.ledger.get(f"/rewards/definitions/{number}")).data if number else None
    try:
        await _command(page_, before, dry_run=True)
    except Refusal as refusal:
        return JSONResponse({"detail": refusal.detail, "errors": dict(refusal.errors)})
    return JSONResponse({"detail": "", "errors": {}})


async def archive(page_: Page) -> Response:
    """End it: rewards that were issued keep their terms."""
    number = page_.part("number")
    await page_.ledger.send("DELETE", f"/rewards/definitions/{number}", key=page_.key)
    return page_.go(f"/definitions/{number}", done="archived")


async def _send(page_: Page, before: Mapping[str, Any] | None) -> Response:
    try:
        answer = await _command(page_, before, key=page_.key, etag=_etag(page_))
    except Refusal as refusal:
        sent = {term.name: page_.sent(term.name) for term in TERMS}
        etag = page_.sent("etag") or None
        return _form(page_, before, sent, key=new_key(), etag=etag, refusal=refusal)
    done = "added" if before is None else "changed"
    return page_.go(f"/definitions/{answer.data['id']}", done=done)


async def _command(page_: Page, before: Mapping[str, Any] | None, **how: Any) -> Any:
    body = _body(page_, before)
    if before is None:
        return await page_.ledger.send("POST", "/rewards/definitions", body, **how)
    return await page_.ledger.send("PUT", f"/rewards/definitions/{before['id']}", body, **how)


def _etag(page_: Page) -> str | None:
    """The version that the form was made of."""
    sent = page_.sent("etag")
    if not (sent.isascii() and sent.isprintable()):
        detail = "This form is not from here. Open it again."
        raise Refusal(422, {"code": "stale_form", "detail": detail})
    return sent or None


def _body(page_: Page, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the form says: of a change only what is otherwise now, and null where it was emptied."""
    shown = {} if before is None else _as_sent(before)
    body: dict[str, Any] = {}
    for term in TERMS:
        if before is not None and term.only_new:
            continue
        sent = page_.sent(term.name)
        if term.kind == "flag":
            sent = "true" if sent else "false"
        if before is not None and sent == shown[term.name]:
            continue
        if sent:
            body[term.name] = _value(term, sent)
        elif before is not None:
            body[term.name] = None
    return body


def _value(term: Term, sent: str) -> Any:
    if term.kind == "json":
        try:
            return json.loads(sent)
        except ValueError:
            errors = {term.name: ["This is not JSON."]}
            raise Refusal(
                422, {"code": "validation_failed", "detail": "", "errors": errors}
            ) from None
    if term.kind == "moment":
        return wall_time(sent)
    return sent


def _as_sent(found: Mapping[str, Any]) -> dict[str, str]:
    """The terms as the form's fields show them."""
    return {term.name: _field(term, found) for term in TERMS}


def _field(term: Term, found: Mapping[str, Any]) -> str:
    if term.kind == "moment":
        local = found.get(term.name.replace("_at", "_local_at")) or ""
        return str(local).replace(" ", "T")[: len("2026-01-01T00:00:00")]
    value = found.get(term.name)
    if value is None:
        return ""
    if term.kind == "flag":
        return "true" if value else "false"
    return json.dumps(value, default=str) if term.kind == "json" else str(value)


def _form(  # noqa: PLR0913 - all that the form shows
    page_: Page,
    before: Mapping[str, Any] | None,
    sent: Mapping[str, str],
    *,
    key: str,
    etag: str | None = None,
    refusal: Refusal | None = None,
) -> Response:
    known = {term.name for term in TERMS}
    errors: Mapping[str, Sequence[str]] = {} if refusal is None else refusal.errors
    return page_.show(
        "definition_form.html",
        200 if refusal is None else refusal.status,
        before=before,
        terms=[term for term in TERMS if before is None or not term.only_new],
        periods=[(each, each.replace("_", " ")) for each in PERIODS],
        sent=sent,
        key=key,
        etag=etag,
        refusal=refusal,
        errors=errors,
        more=[said for name, all_ in errors.items() if name not in known for said in all_],
    )


_MAKE: Final = "create-reward-definitions"
_CHANGE: Final = "update-reward-definitions"
ROUTES: Final = (
    page("/definitions", listed, scope="read-reward-definitions"),
    page("/definitions/new", ask_new, scope=_MAKE),
    page("/definitions/new", add, scope=_MAKE, methods=("POST",)),
    page("/definitions/check", check, scope="read-reward-definitions", methods=("POST",)),
    page("/definitions/{number:int}", definition, scope="read-reward-definitions"),
    page("/definitions/{number:int}/change", ask_change, scope=_CHANGE),
    page("/definitions/{number:int}/change", change, scope=_CHANGE, methods=("POST",)),
    page(
        "/definitions/{number:int}/archive",
        archive,
        scope="delete-reward-definitions",
        methods=("POST",),
    ),
)
