"""A profile as of a moment, read from the log itself: what the routes show, and whoever else asks.

Nothing here is older than the last event, for no read model stands between. A merged profile is
whom it had become by then.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.freshness import FreshProfile
from api.reading import not_found, whole_stream
from api.services import Services
from ledger.account.state import Account
from ledger.explanation import Telling, in_order
from ledger.history import ALL, Entry, entries_of
from ledger.past import (
    Cut,
    Happened,
    account_after,
    amounts_at,
    counting,
    lots_of,
    telling,
)
from ledger.programme.state import PROGRAMME_STREAM
from ledger.streams import account_stream, event_of
from projections.projection import Key, Projection, Row
from projections.read_models import reward_definitions
from projections.read_models.balances import Balance
from schemas.handover import TakenOver

AT_ONCE: Final = 500
"""How many events are read and folded before others get their turn: tills wait meanwhile."""


@dataclass(frozen=True, slots=True)
class PastProfile:
    """What had happened on a profile's account, and what that led to."""

    at: datetime
    fresh: FreshProfile
    """Whose account it is, and up to where in the log it was read."""
    events: Sequence[Happened]
    account: Account

    @property
    def profile_id(self) -> str:
        """Whose it is: the profile's that was asked for, or whom it had become."""
        return self.fresh.profile_id

    @property
    def cut(self) -> Cut | None:
        """What was asked for; None is now."""
        return self.fresh.cut

    def balance(self) -> Balance:
        """What it could spend, what it couldn't yet, and what was set aside."""
        return Balance(*amounts_at(self.account, self.at))


async def profile_at(
    services: Services, profile_id: str, cut: Cut | None = None, *, own: bool = False
) -> PastProfile:
    """A profile as of a moment, or now; before its first event it has nothing.

    With `own` it is the account of the profile itself, whomever that has become.

    Raises:
        Refused: 404, there is no such profile and never was.
    """
    name = profile_id
    while True:
        told = await _told(services, name, cut)
        if not told:
            raise not_found("profile")
        events = counting(told, cut)
        account = await _account_after(events)
        if own or account.merged_into is None:
            break
        name = account.merged_into
    merged_into = None if name == profile_id else name
    fresh = FreshProfile(told[-1].recorded.position, None, None, name, merged_into, cut)
    return PastProfile(services.clock() if cut is None else cut.at, fresh, events, account)


async def entries_at(services: Services, past: PastProfile, part: slice = ALL) -> Sequence[Entry]:
    """A part of its history in words, the oldest first, each with the balance after it."""
    sealed = {told.event.personal for told in past.events[part]} - {None}
    return entries_of(
        past.events,
        currency=services.settings.currency,
        currency_digits=services.settings.currency_digits,
        opened=await services.vault.opened(filter(None, sealed)),
        part=part,
    )


async def tellings_of(
    services: Services, past: PastProfile, lots: Collection[int] | None = None
) -> Sequence[Telling]:
    """The events of a profile and of those that some of its rewards came from; all, without `lots`.

    In the order of the log.
    """
    wanted = None if lots is None else set(lots)
    read: dict[str, Sequence[Happened]] = {past.profile_id: past.events}
    new: Collection[str] = read.keys()
    while new:
        givers = {giver for name in new for giver in _givers(read[name], wanted)} - read.keys()
        for name in givers:
            read[name] = counting(await _told(services, name, past.cut), past.cut)
        new = givers
    return in_order(read)


async def rows_at(
    services: Services, past: PastProfile, projection: Projection, *, everybodys: bool = False
) -> Sequence[Row]:
    """A profile's rows of a read model as they were, by the model's own fold of the log.

    With `everybodys` also those that had gone to another profile, as they were when they went.
    """
    rows: dict[Key, Row | None] = {}
    for number, (_, told) in enumerate(await tellings_of(services, past)):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        record, event = told.recorded, told.event
        if projection.relevant(record):
            wanted = {key: rows.get(key) for key in projection.keys(record, event)}
            rows.update(projection.evolve(wanted, record, event))
    return [
        row
        for key, row in rows.items()
        if isinstance(key, tuple)
        and row is not None
        and (everybodys or row["profile_id"] == past.profile_id)
    ]


@dataclass(frozen=True, slots=True)
class DefinitionsAt:
    """Reward definitions as of a moment."""

    newest: Mapping[int, Mapping[str, Any]]
    versions: Mapping[tuple[int, int], Mapping[str, Any]]


async def definitions_at(services: Services, cut: Cut | None) -> DefinitionsAt:
    """All definitions there are, each in the version that was the newest by then.

    One that a reward knew of before it was there by the cut is in its first version.
    """
    projection = reward_definitions.PROJECTION
    newest: dict[int, Row] = {}
    versions: dict[tuple[int, int], Row] = {}
    rows: dict[Key, Row | None] = {}
    for record in await whole_stream(services.store, PROGRAMME_STREAM):
        event = event_of(record)
        wanted = {key: rows.get(key) for key in projection.keys(record, event)}
        if not wanted:
            continue
        rows.update(projection.evolve(wanted, record, event))
        for row in map(rows.get, wanted):
            assert row is not None
            number = row["definition_id"]
            versions[number, row["definition_version"]] = row
            if number not in newest or _counts(record, cut):
                newest[number] = row
    return DefinitionsAt(newest, versions)


async def _told(services: Services, profile_id: str, cut: Cut | None) -> Sequence[Happened]:
    """A profile's stream, as far as it may matter: nobody else waits for longer than a page."""
    told: list[Happened] = []
    while True:
        page = await services.store.read_stream(
            account_stream(profile_id), after_version=len(told), limit=AT_ONCE
        )
        told += map(telling, page)
        if len(page) < AT_ONCE:
            return told
        if cut is not None and cut.recorded and page[-1].recorded_at > cut.at:
            return told


async def _account_after(events: Sequence[Happened]) -> Account:
    account = Account()
    for start in range(0, len(events), AT_ONCE):
        account = account_after(events[start : start + AT_ONCE], account)
        await asyncio.sleep(0)
    return account


def _counts(record: Any, cut: Cut | None) -> bool:
    if cut is None:
        return True
    return bool((record.recorded_at if cut.recorded else record.occurred_at) <= cut.at)


def _givers(events: Sequence[Happened], lots: Collection[int] | None) -> set[str]:
    """Who handed over some of these rewards, or anything."""
    return {
        told.event.giver
        for told in events
        if isinstance(told.event, TakenOver)
        and (lots is None or not lots_of(told.event).isdisjoint(lots))
    }
