"""What the whole programme owes, and how that came about: sums over all profiles.

They are made when they are asked for and stored nowhere, so they agree with the lines and lots they
are made of, in whatever zone a day begins (docs/decisions/0006-sums-are-made-when-asked-for.md).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from projections.read_models import journal, reward_expiry_order, rewards
from projections.read_models.handover import passing
from schemas.movements import Book

Flow = Literal["issued", "returned", "redeemed", "expired", "revoked"]
FLOWS: Final[tuple[Flow, ...]] = ("issued", "returned", "redeemed", "expired", "revoked")
"""The ways value becomes outstanding, and those by which it no longer is."""


@dataclass(slots=True)
class Sum:
    """So many rewards or movements, of so much value."""

    count: int = 0
    minor: int = 0

    def add(self, count: int, minor: int) -> None:
        """Count more, or less, where something is taken back."""
        self.count += count
        self.minor += minor


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What can still be spent of the rewards of one definition, now or later."""

    definition_id: int
    count: int
    available_minor: int
    pending_minor: int
    held_minor: int

    @property
    def total_minor(self) -> int:
        """All of it."""
        return self.available_minor + self.pending_minor + self.held_minor


@dataclass(frozen=True, slots=True)
class Expiring:
    """What expires in each period if nobody spends it, in a later one, and never.

    What is held is left out: its redemption is likely to take it.
    """

    periods: Sequence[Sum]
    later: Sum
    never: Sum


@dataclass(frozen=True, slots=True)
class Flows:
    """What became of value in one period."""

    sums: Mapping[Flow, Sum] = field(default_factory=lambda: {flow: Sum() for flow in FLOWS})


_ORDER: Final = reward_expiry_order.TABLE.fullname

# A lot can be spent to the end of its `expires_at` second; a hold ends with its deadline.
_LOTS: Final = f"""
WITH lots AS (
  SELECT definition_id, expires_at, holds, available_minor, pending_minor, held_minor,
    expires_at IS NOT NULL AND expires_at <= $1::timestamptz - interval '1 second' AS is_over,
    issued_at > $1 AS is_ahead,
    CASE WHEN held_until <= $1 THEN (
      SELECT coalesce(sum((h.value->>'amount_minor')::bigint), 0) FROM jsonb_each(holds) h
      WHERE (h.value->>'until')::timestamptz <= $1) ELSE 0 END AS lapsed_minor
  FROM {_ORDER} WHERE {{which}}),
now AS (
  SELECT definition_id, expires_at,
    CASE WHEN is_over THEN 0 WHEN is_ahead THEN available_minor + lapsed_minor
      ELSE available_minor + pending_minor + lapsed_minor END AS available_minor,
    CASE WHEN is_ahead AND NOT is_over THEN pending_minor ELSE 0 END AS pending_minor,
    held_minor - lapsed_minor AS held_minor
  FROM lots)"""  # noqa: S608
_EVERY: Final = _LOTS.format(which="true")
_UNDER_ONE: Final = _LOTS.format(which="definition_id = $2")

_SUMMED: Final = """
SELECT definition_id, count(*) AS count, sum(available_minor) AS available_minor,
  sum(pending_minor) AS pending_minor, sum(held_minor) AS held_minor
FROM now WHERE available_minor > 0 OR pending_minor > 0 OR held_minor > 0
GROUP BY definition_id ORDER BY definition_id"""
OUTSTANDING: Final = _EVERY + _SUMMED
OUTSTANDING_UNDER: Final = _UNDER_ONE + _SUMMED

_EXPIRING: Final = f"""{_EVERY}
SELECT width_bucket(expires_at, $2::timestamptz[]) AS period, count(*) AS count,
  sum(available_minor + pending_minor) AS minor
FROM now WHERE available_minor > 0 OR pending_minor > 0 GROUP BY 1"""  # noqa: S608

_FLOWS: Final = f"""
SELECT width_bucket(effective_at, $1::timestamptz[]) AS period, source_book, target_book,
  source_book = 'issued' AND redemption_id IS NOT NULL AS is_given_back,
  count(*) AS count, sum(amount_minor) AS minor
FROM {journal.TABLE.fullname}
WHERE effective_at >= $2 AND effective_at < $3 AND event_type <> ALL($4::text[])
GROUP BY 1, 2, 3, 4"""  # noqa: S608

FLOWS_UNDER: Final = f"""
SELECT j.source_book, j.target_book,
  j.source_book = 'issued' AND j.redemption_id IS NOT NULL AS is_given_back,
  count(*) AS count, sum(j.amount_minor) AS minor
FROM {rewards.TABLE.fullname} r JOIN {journal.TABLE.fullname} j ON j.reward_id = r.reward_id
WHERE r.definition_id = $1 AND j.event_type <> ALL($2::text[])
GROUP BY 1, 2, 3"""  # noqa: S608

# What has expired by now and is not written down yet: with its reward, or later with its hold.
_OVER: Final = """
WITH over AS (
  SELECT * FROM {order}
  WHERE {which} AND expires_at <= {now}::timestamptz - interval '1 second'),
parts AS (
  SELECT expires_at AS effective_at, available_minor + pending_minor AS minor FROM over
  UNION ALL
  SELECT greatest(expires_at, (h.value->>'until')::timestamptz),
    (h.value->>'amount_minor')::bigint
  FROM over CROSS JOIN LATERAL jsonb_each(holds) h
  WHERE held_until <= {now} AND (h.value->>'until')::timestamptz <= {now})"""
_UNRECORDED: Final = f"""{_OVER.format(order=_ORDER, which="true", now="$4")}
SELECT width_bucket(effective_at, $1::timestamptz[]) AS period, count(*) AS count,
  sum(minor) AS minor
FROM parts WHERE minor > 0 AND effective_at >= $2 AND effective_at < $3 GROUP BY 1"""  # noqa: S608
UNRECORDED_UNDER: Final = f"""{_OVER.format(order=_ORDER, which="definition_id = $2", now="$1")}
SELECT count(*) AS count, coalesce(sum(minor), 0) AS minor FROM parts WHERE minor > 0"""  # noqa: S608


async def outstanding(connection: Any, now: datetime) -> Sequence[Outstanding]:
    """What is outstanding under each definition, expiries and lapses counted, recorded or not."""
    rows = await connection.fetch(OUTSTANDING, now)
    return [Outstanding(row[0], *map(int, row[1:])) for row in rows]


async def outstanding_under(connection: Any, now: datetime, definition_id: int) -> Outstanding:
    """The same under one definition."""
    row = await connection.fetchrow(OUTSTANDING_UNDER, now, definition_id)
    return Outstanding(definition_id, *(map(int, row[1:]) if row else (0, 0, 0, 0)))


async def flows_under(connection: Any, now: datetime, definition_id: int) -> Flows:
    """What ever became of the value of one definition's rewards, as `flows` counts it."""
    found = Flows()
    for row in await connection.fetch(FLOWS_UNDER, definition_id, sorted(passing())):
        for flow, sign in _ways(row):
            found.sums[flow].add(sign * row["count"], sign * int(row["minor"]))
    over = await connection.fetchrow(UNRECORDED_UNDER, now, definition_id)
    found.sums["expired"].add(over["count"], int(over["minor"]))
    return found


async def expiring(connection: Any, now: datetime, starts: Sequence[datetime]) -> Expiring:
    """What expires from now on, by periods; each begins at one of `starts`, the last ends them.

    What has not expired yet and would have before the first one counts to that.
    """
    found = Expiring([Sum() for _ in starts[1:]], Sum(), Sum())
    for row in await connection.fetch(_EXPIRING, now, list(starts)):
        if row["period"] is None:
            into = found.never
        elif row["period"] >= len(starts):
            into = found.later
        else:
            into = found.periods[max(row["period"], 1) - 1]
        into.add(row["count"], int(row["minor"]))
    return found


async def flows(connection: Any, now: datetime, starts: Sequence[datetime]) -> Sequence[Flows]:
    """What became of value in each period. All there ever were give what is outstanding:
    issued and returned, less redeemed, expired and revoked.

    A return is what a redemption gives back, whichever way: also in another reward. Value that
    passes between profiles is neither issued nor revoked. What is put right is taken off, so
    an extension takes what comes back off what has expired.
    """
    periods = [Flows() for _ in starts[1:]]
    span = (list(starts), starts[0], starts[-1])
    for row in await connection.fetch(_FLOWS, *span, sorted(passing())):
        for flow, sign in _ways(row):
            into = periods[row["period"] - 1].sums[flow]
            into.add(sign * row["count"], sign * int(row["minor"]))
    for row in await connection.fetch(_UNRECORDED, *span, now):
        periods[row["period"] - 1].sums["expired"].add(row["count"], int(row["minor"]))
    return periods


_FROM: Final[Mapping[str, tuple[Flow, int]]] = {
    Book.ISSUED.value: ("issued", 1),
    Book.REDEEMED.value: ("returned", 1),
    Book.EXPIRED.value: ("expired", -1),
    Book.REVOKED.value: ("revoked", -1),
}
_INTO: Final[Mapping[str, Flow]] = {
    Book.REDEEMED.value: "redeemed",
    Book.EXPIRED.value: "expired",
    Book.REVOKED.value: "revoked",
}


def _ways(row: Mapping[str, Any]) -> Iterator[tuple[Flow, int]]:
    """What a kind of movement counts as, and whether it is more or less of it."""
    source, target = row["source_book"], row["target_book"]
    if target == Book.TRANSFERRED.value:
        return  # A return in another reward counts with that one.
    if row["is_given_back"]:
        yield "returned", 1
    elif source in _FROM:
        yield _FROM[source]
    if target in _INTO:
        yield _INTO[target], 1


def total(sums: Sequence[Flows]) -> Mapping[Flow, Sum]:
    """All periods together."""
    found: dict[Flow, Sum] = defaultdict(Sum)
    for each in sums:
        for flow, part in each.sums.items():
            found[flow].add(part.count, part.minor)
    return found
