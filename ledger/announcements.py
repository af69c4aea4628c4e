"""Who waits for a sale: a redemption may announce its external_id before the sale arrives.

Announcer and sale may be decided at the same moment, neither seeing the other. So both take one
name, and one of them is decided again. Names are for ever: once all that announced a sale under
one name has been given back, the next name counts, and another profile may announce it.
"""

from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from ledger.account.state import Account
from ledger.addressing import holder_now
from ledger.rejections import RedemptionAnnouncedElsewhere

if TYPE_CHECKING:
    from ledger.decider import View

ANNOUNCED = "transaction.announced"

ANNOUNCEMENTS_MAX = 10
"""How often a sale may be announced and given back again: each time costs a look-up for ever."""


class Announcement(NamedTuple):
    """The name that counts now for a sale, and the account that waits under it."""

    kind: str
    waiting: str | None
    number: int = 1


def announcement(external_id: str, view: "View", now: datetime) -> Announcement:
    """Look here before looking for the sale itself: a sale that arrives in between has then taken
    the name that is found free here."""
    for number in count(1):
        kind = ANNOUNCED if number == 1 else f"{ANNOUNCED}.{number}"
        named = view.stream_named(kind, external_id)
        holder = None if named is None else holder_now(named, view)
        if holder is None or _waits(view.state(holder), external_id, now):
            return Announcement(kind, holder, number)
    raise AssertionError("unreachable")


def refuse_announcement(external_id: str, standing: Announcement, stream_id: str) -> None:
    """Refuse to announce a sale that is not this account's to announce.

    Raises:
        RedemptionAnnouncedElsewhere: another account waits for it, or too many have before.
    """
    if standing.waiting not in (None, stream_id):
        raise RedemptionAnnouncedElsewhere(
            f"Another profile's redemption was made for the transaction {external_id!r}."
        )
    if standing.number > ANNOUNCEMENTS_MAX:
        raise RedemptionAnnouncedElsewhere(
            f"The transaction {external_id!r} was announced and given back too often; redeem "
            "without announcing it, and link the redemption later."
        )


def _waits(state: object, external_id: str, now: datetime) -> bool:
    """Who only holds value waits too. A sale that has the name waits for nobody."""
    return isinstance(state, Account) and any(
        state.redemptions[redemption_id].in_use(now)
        for redemption_id in state.announcements.get(external_id, ())
    )
