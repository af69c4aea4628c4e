"""Who waits for a sale: a redemption may announce its external_id before the sale arrives.

Announcer and sale may be decided at the same moment, neither seeing the other. So both take one
name, and one of them is decided again. Names are for ever: once all that announced a sale under
one name has been given back, the next name counts, and another profile may announce it.
"""

from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from ledger.account.state import Account

if TYPE_CHECKING:
    from ledger.commands import View

ANNOUNCED = "transaction.announced"


class Announcement(NamedTuple):
    """The name that counts now for a sale, and the account that waits under it."""

    kind: str
    waiting: str | None


def announcement(external_id: str, view: "View") -> Announcement:
    """Look here before looking for the sale itself: a sale that arrives in between has then taken
    the name that is found free here."""
    for number in count(1):
        kind = ANNOUNCED if number == 1 else f"{ANNOUNCED}.{number}"
        holder = view.stream_named(kind, external_id)
        if holder is None or _waits(view.state(holder), external_id):
            return Announcement(kind, holder)
    raise AssertionError("unreachable")


def _waits(state: object, external_id: str) -> bool:
    """A sale that holds the name waits for nobody."""
    return isinstance(state, Account) and any(
        state.redemptions[redemption_id].outstanding()
        for redemption_id in state.announcements.get(external_id, ())
    )
