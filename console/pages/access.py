"""Who may do what: API tokens, and the people who sign in here."""

import asyncio
from typing import Final

from starlette.responses import Response

from api.roles import SCOPES_OF
from api.tokens import SCOPES
from console.ledger_api import Refusal
from console.page import Page, new_key, page


async def access(page_: Page) -> Response:
    """Tokens and users, and the forms for more."""
    return await _shown(page_)


async def make_token(page_: Page) -> Response:
    """Make a token, which this answer shows and no other ever will."""
    scopes = [each for each in SCOPES if page_.sent(f"scope-{each}")]
    body = {"client": page_.sent("client"), "name": page_.sent("name") or None, "scopes": scopes}
    body = {name: value for name, value in body.items() if value is not None}
    try:
        made = await page_.ledger.send("POST", "/access/tokens", body, key=page_.key)
    except Refusal as refusal:
        return await _shown(page_, refusal)
    return page_.show("token.html", token=made.data)


async def revoke(page_: Page) -> Response:
    """Revoke a token."""
    try:
        await page_.ledger.send("DELETE", f"/access/tokens/{page_.part('number')}")
    except Refusal as refusal:
        return await _shown(page_, refusal)
    return page_.go("/access", done="revoked-token")


async def make_user(page_: Page) -> Response:
    """Let somebody sign in."""
    body = {name: page_.sent(name) for name in ("name", "role", "password")}
    try:
        await page_.ledger.send("POST", "/access/users", body, key=page_.key)
    except Refusal as refusal:
        return await _shown(page_, refusal)
    return page_.go("/access", done="user")


async def change_user(page_: Page) -> Response:
    """Give somebody another role or password, or keep them out."""
    sent = {name: page_.sent(name) for name in ("role", "password", "disabled")}
    body = {name: value for name, value in sent.items() if value}
    try:
        await page_.ledger.send("PUT", f"/access/users/{page_.part('name')}", body)
    except Refusal as refusal:
        return await _shown(page_, refusal)
    return page_.go("/access", done="user-changed")


async def _shown(page_: Page, refusal: Refusal | None = None) -> Response:
    tokens, users = await asyncio.gather(
        page_.ledger.get("/access/tokens", **{"page[size]": 200}),
        page_.ledger.get("/access/users", **{"page[size]": 200}),
    )
    return page_.show(
        "access.html",
        200 if refusal is None else refusal.status,
        tokens=tokens.data,
        users=users.data,
        scopes=SCOPES,
        roles=[(role, role) for role in SCOPES_OF],
        refusal=refusal,
        key=new_key(),
        done=page_.done(),
    )


_SCOPE: Final = "manage-access"
ROUTES: Final = (
    page("/access", access, scope=_SCOPE),
    page("/access/tokens", make_token, scope=_SCOPE, methods=("POST",)),
    page("/access/tokens/{number:int}/revoke", revoke, scope=_SCOPE, methods=("POST",)),
    page("/access/users", make_user, scope=_SCOPE, methods=("POST",)),
    page("/access/users/{name}", change_user, scope=_SCOPE, methods=("POST",)),
)
