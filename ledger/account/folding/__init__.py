"""What a history makes of an account: a pure fold, a step for each kind of event.

An event first brings what it has with it, then moves value, then does what it says beside that. So
one that is in neither table still moves value: movements are closed, reasons are open.
"""

from collections.abc import Iterable
from functools import cache

from ledger.account.folding import identities, profiles, redemptions, rewards, sales
from ledger.account.folding.draft import Draft, Step, Steps
from ledger.account.state import Account
from schemas.events import Event

_BROUGHT: Steps = {**rewards.BROUGHT, **profiles.BROUGHT}
_BESIDE: Steps = {
    **rewards.BESIDE,
    **redemptions.BESIDE,
    **profiles.BESIDE,
    **identities.BESIDE,
    **sales.BESIDE,
}


def fold(events: Iterable[Event], account: Account | None = None) -> Account:
    """The account after these events."""
    account = account or Account()
    if events == ():
        return account
    draft = Draft.of(account)
    for event in events:
        _take(event, draft)
    return draft.frozen()


def evolve(account: Account, event: Event) -> Account:
    """The account after one more event."""
    return fold((event,), account)


def _take(event: Event, draft: Draft) -> None:
    brought, beside = _steps(type(event))
    for step in brought:
        step(draft, event)
    for movement in event.movements:
        draft.move(movement)
    for step in beside:
        step(draft, event)


@cache
def _steps(kind: type[Event]) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """What an event of this kind brings and what it does beside its movements, its own or as the
    kinds it inherits from."""
    kinds = kind.__mro__
    return (
        tuple(_BROUGHT[each] for each in kinds if each in _BROUGHT),
        tuple(_BESIDE[each] for each in kinds if each in _BESIDE),
    )
