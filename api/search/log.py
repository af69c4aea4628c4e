"""The log itself: an event by its position, and what a request under an idempotency key led to."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from api.search.asking import Asked, Hit, Kind
from api.search.records import SCOPES, one
from ledger.event_words import in_words
from ledger.personal.stripping import ACCOUNT_PREFIX
from ledger.streams import event_of
from schemas.envelope import Recorded
from schemas.events import Event

SCOPE: Final = "read-ledgers"
CLIENTS_MAX: Final = 1_000
REQUESTS_MAX: Final = 10
EVENTS_MAX: Final = 20
"""Of one request."""
POSITION: Final = 0.97
"""A number is sooner one of a thing than of an event."""

# Keys are indexed by client, and there are few: each client's own place in the index is looked at.
# The rows of a batch have keys of their own, made of its key.
UNDER_KEY: Final = """
WITH RECURSIVE clients AS (
  (SELECT client, 1 AS n FROM ledger.commands ORDER BY client LIMIT 1)
  UNION ALL
  SELECT (SELECT k.client FROM ledger.commands k WHERE k.client > c.client
    ORDER BY k.client LIMIT 1), c.n + 1
  FROM clients c WHERE c.client IS NOT NULL AND c.n < $2)
SELECT k.client, k.key, k.outcome, k.first_position, k.event_count
FROM clients c CROSS JOIN unnest($1::text[]) AS w(key)
CROSS JOIN LATERAL (
  SELECT * FROM ledger.commands o WHERE o.client = c.client AND o.key = w.key LIMIT 1) k
ORDER BY k.first_position DESC LIMIT $3"""


async def found(asked: Asked) -> Sequence[Hit]:
    """The event at this position, the requests under this key and what came of them."""
    if not asked.caller.may(SCOPE):
        return []
    return [*await _at_position(asked), *await _under_key(asked)]


async def _at_position(asked: Asked) -> Sequence[Hit]:
    if asked.number is None:
        return []
    events = await asked.services.store.read_log(after_position=asked.number - 1, limit=1)
    return [
        Hit(
            "event",
            each.position,
            each.type,
            f"{_words(asked, event_of(each))}, in {each.stream_id}",
            _profile_of(each.stream_id),
            "position",
            POSITION,
        )
        for each in events
        if each.position == asked.number
    ]


async def _under_key(asked: Asked) -> Sequence[Hit]:
    keys = [asked.text, *(f" {row} {asked.text}" for row in range(REQUESTS_MAX))]
    rows = await asked.services.pool.fetch(UNDER_KEY, keys, CLIENTS_MAX, REQUESTS_MAX)
    hits: list[Hit] = []
    for row in rows:
        events = await _events(asked, row)
        hits.append(_request(asked, row, events))
        for kind, number in _things(events):
            if asked.caller.may(SCOPES[kind]):
                hit = await one(asked.services, kind, number, "idempotency_key")
                hits += [] if hit is None else [hit]
    return hits


async def _events(asked: Asked, row: Mapping[str, Any]) -> Sequence[Recorded]:
    count = min(row["event_count"], EVENTS_MAX)
    if not count:
        return []
    return await asked.services.store.read_log(
        after_position=row["first_position"] - 1, limit=count
    )


def _request(asked: Asked, row: Mapping[str, Any], events: Sequence[Recorded]) -> Hit:
    outcome = orjson.loads(row["outcome"])
    if "code" in outcome:
        said = f"refused: {outcome['code']}"
    elif events:
        said = _words(asked, event_of(events[-1]))
    else:
        said = "nothing was to be written"
    title = f"Request {row['key'].strip()} of {row['client']}"
    profile_id = _profile_of(outcome.get("stream") or "")
    if profile_id is None and events:
        profile_id = next(filter(None, (_profile_of(each.stream_id) for each in events)), None)
    return Hit(
        "request", f"{row['client']} {row['key']}", title, said, profile_id, "idempotency_key"
    )


def _things(events: Sequence[Recorded]) -> list[tuple[Kind, int]]:
    """What a request has made or changed, as its last event names it: others are due before it."""
    if not events:
        return []
    event = event_of(events[-1])
    kinds: tuple[tuple[Kind, str], ...] = (
        ("transaction", "transaction_id"),
        ("redemption", "redemption_id"),
        ("reward", "reward_id"),
    )
    found = [(kind, getattr(event, name, None)) for kind, name in kinds]
    return [(kind, number) for kind, number in found if isinstance(number, int)]


def _words(asked: Asked, event: Event) -> str:
    settings = asked.services.settings
    return in_words(event, settings.currency, settings.currency_digits)


def _profile_of(stream_id: str) -> str | None:
    is_account = stream_id.startswith(ACCOUNT_PREFIX)
    return stream_id.removeprefix(ACCOUNT_PREFIX) if is_account else None
