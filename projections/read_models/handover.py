"""What passes from one account to another, as the read models see it.

A row that is keyed by the id of a reward or redemption goes with it: the giver's event names the
new owner, the taker's writes what is his. Events of an account that is not the owner's change
nothing in it.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from projections.projection import EventRecord
from schemas.events import Event, LotTerms, decode, known_events
from schemas.handover import HandedOver, LotRecord, TakenOver


def giver_of(record: EventRecord) -> Iterable[str]:
    """The stream that an event takes rows from, told by its type before it is decoded."""
    if record.type not in _taking():
        return ()
    try:
        event = decode(record.type, record.schema_version, record.payload)
    except ValueError:
        return ()  # The fold itself meets it, and parks the stream.
    assert isinstance(event, TakenOver)
    return (f"account-{event.giver}",)


def terms_in(event: Event) -> Mapping[int, LotTerms | LotRecord]:
    """The terms of every lot that an event brings, or gives other ones.

    Those of a `RewardIssued` or `LotRecord` are whole: the lot is new on the account.
    """
    if isinstance(event, LotTerms):
        return {event.reward_id: event}
    if isinstance(event, TakenOver):
        return {lot.reward_id: lot for lot in event.lots}
    return {}


@cache
def passing() -> frozenset[str]:
    """The events on both sides, by which nothing enters or leaves the programme."""
    both = (HandedOver, TakenOver)
    return frozenset(cls.__name__ for cls in known_events() if issubclass(cls, both))


@cache
def _taking() -> frozenset[str]:
    return frozenset(cls.__name__ for cls in known_events() if issubclass(cls, TakenOver))
