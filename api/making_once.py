"""What access administration makes under an idempotency key: once, and found again by a repeat."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, Final

import orjson

from api.problems import Refused

Connection = Any
"""The driver's, out of a pool or not."""

_TAKE: Final = (
    "INSERT INTO access.requests (client, key, fingerprint, made) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING RETURNING true"
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may come again: whose, under which key, and what tells it from another."""

    client: str
    key: str
    fingerprint: bytes


class AlreadyMade(Exception):
    """The key has been used; nothing is to be made."""


def fingerprint(secret: bytes, *told: Any) -> bytes:
    """What tells a request from another under the same key."""
    return hmac.digest(secret, orjson.dumps(told), hashlib.sha256)


async def take(connection: Connection, request: Request | None, made: str) -> None:
    """Keep what a request makes, in the transaction that makes it. Two at once wait here.

    Raises:
        AlreadyMade: the transaction must not commit.
    """
    if request is None:
        return
    first = await connection.fetchval(_TAKE, request.client, request.key, request.fingerprint, made)
    if not first:
        raise AlreadyMade


async def made_before(connection: Connection, request: Request | None) -> str | None:
    """What the same request has made.

    Raises:
        Refused: 422, another request came under its key.
    """
    if request is None:
        return None
    row = await connection.fetchrow(
        "SELECT fingerprint, made FROM access.requests WHERE client = $1 AND key = $2",
        request.client,
        request.key,
    )
    if row is None:
        return None
    if row["fingerprint"] != request.fingerprint:
        detail = "This Idempotency-Key was used for another request; choose a new key."
        raise Refused(422, "idempotency_key_reused", None, detail)
    return str(row["made"])
