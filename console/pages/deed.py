"""A deed in three looks: its form, its preview, and then where its effect is to be seen."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from console.actions import ACTIONS, Action, Asked, Field, body_of, form_of
from console.ledger_api import Answer, Refusal
from console.page import Page, new_key, page
from console.told import Told

_PATHS: Final = {
    "profile": "/profiles/{}",
    "reward": "/rewards/{}",
    "redemption": "/redemptions/{}",
}
_CHANGED: Final = "Something has changed since you looked. This is what would happen now."


async def ask(page_: Page) -> Response:
    """The form, empty."""
    return _form(await _deed(page_))


async def answer(page_: Page) -> Response:
    """The preview; or, sent from there, the deed."""
    deed = await _deed(page_)
    try:
        if page_.sent("step") == "do":
            return await _do(deed)
        tried = await deed.send(dry_run=True)
    except Refusal as refusal:
        return _form(deed, refusal)
    return _preview(deed, tried, new_key())


@dataclass(frozen=True, slots=True)
class _Deed:
    """What is to be done about which thing, with what a form has said of it."""

    page: Page
    action: Action
    thing: Mapping[str, Any]
    fields: Sequence[Field]
    sent: Mapping[str, str]

    @property
    def back(self) -> str:
        """Where the thing is to be seen."""
        return _PATHS[self.action.about].format(self.page.part("thing"))

    @property
    def asked(self) -> Asked:
        """The command."""
        body = body_of(self.fields, self.sent)
        if self.action.name == "extend":
            body["profile_id"] = self.thing["profile_id"]
        return self.action.asked(self.page.part("thing"), body)

    async def send(self, **how: Any) -> Answer:
        """Send it; see `LedgerApi.send`."""
        asked = self.asked
        return await self.page.ledger.send(asked.method, asked.path, asked.body, **how)

    def told(self, tried: Answer) -> Told:
        """What a dry run of it has shown, for people."""
        told = list(self.action.told(tried.data, self.page.formats))
        after = tried.meta.get("balances")
        if after is not None:
            told.append(("Balance then", self.page.formats.money(after["reward_balance"])))
        return told


async def _deed(page_: Page) -> _Deed:
    action = ACTIONS.get(page_.part("action"))
    if action is None:
        raise Refusal(404, {"code": "not_found", "detail": "There is no such deed."})
    page_.require(action.scope)
    path = _PATHS[action.about].format(page_.part("thing"))
    include = {"include": "revoked"} if action.about == "reward" else {}
    thing = (await page_.ledger.get(path, **include)).data
    fields = await form_of(action, page_.ledger, page_)
    return _Deed(
        page_, action, thing, fields, {each.name: page_.sent(each.name) for each in fields}
    )


async def _do(deed: _Deed) -> Response:
    key = deed.page.key
    if not await _done_before(deed.page, key):
        tried = await deed.send(dry_run=True)
        if _seal(deed.told(tried)) != deed.page.sent("seen"):
            return _preview(deed, tried, key, _CHANGED)
    await deed.send(key=key)
    return deed.page.go(deed.back, done=deed.action.name)


async def _done_before(page_: Page, key: str) -> bool:
    """Whether this very form was carried out already: then its answer is given again."""
    found = await page_.ledger.find("/search", q=key)
    return found is not None and any(each["kind"] == "request" for each in found.data)


def _seal(told: Told) -> str:
    """What was shown, so that it can be told from what would be shown now."""
    return hashlib.sha256(repr([(name, str(value)) for name, value in told]).encode()).hexdigest()


def _form(deed: _Deed, refusal: Refusal | None = None) -> Response:
    known = {each.name for each in deed.fields}
    errors = {} if refusal is None else refusal.errors
    return deed.page.show(
        "deed.html",
        200 if refusal is None else refusal.status,
        deed=deed,
        action=deed.action,
        refusal=refusal,
        errors=errors,
        more=[said for name, all_ in errors.items() if name not in known for said in all_],
    )


def _preview(deed: _Deed, tried: Answer, key: str, note: str | None = None) -> Response:
    told = deed.told(tried)
    return deed.page.show(
        "preview.html",
        deed=deed,
        action=deed.action,
        told=told,
        seen=_seal(told),
        key=key,
        note=note,
    )


ROUTES: Final = (
    page("/do/{action}/{thing}", ask, methods=("GET",)),
    page("/do/{action}/{thing}", answer, methods=("POST",)),
)
