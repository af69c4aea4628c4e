"""Events in words, for people who ask why a balance is what it is."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from schemas.amounts import from_minor
from schemas.events import Event
from schemas.handover import HandedOver, TakenOver
from schemas.holds import HoldEnded, HoldLapsed, HoldReleased, RedemptionCaptured, RedemptionHeld
from schemas.identities import IdentityAttached, IdentityDetached
from schemas.movements import Book, Movement
from schemas.personal_data import PersonalDataErased
from schemas.profiles import (
    AccountPartHandedOver,
    AccountPartTakenOver,
    ProfileMerged,
    ProfileMergedAway,
    ProfileRegistered,
)
from schemas.redemptions import (
    RedemptionMade,
    RedemptionRecord,
    RedemptionReturned,
    RedemptionReversed,
)
from schemas.registrations import ProfileChanged, ProfileDeleted, ProfileRestored
from schemas.rewards import (
    RewardActivated,
    RewardAdjusted,
    RewardExpired,
    RewardExtended,
    RewardIssued,
    RewardReceived,
    RewardRevoked,
    RewardSent,
)
from schemas.times import utc_text
from schemas.transaction_changes import AttachedTransactionChanged, TransactionUnattached
from schemas.transaction_claims import (
    TransactionClaimChecked,
    TransactionClaimed,
    TransactionClaimOpened,
    TransactionClaimRejected,
)
from schemas.transaction_returns import AttachedGoodsReturned
from schemas.transactions import (
    AttachedTransactionVoided,
    TransactionAttached,
    TransactionLinked,
    TransactionUnlinked,
)

Money = Callable[[int], str]


def in_words(
    event: Event, currency: str, digits: int, personal: Mapping[str, Any] | None = None
) -> str:
    """One sentence without a full stop. An event without words of its own gets its name's.

    `personal` is what was sealed in it, where the reader may see that.
    """

    def money(minor: int) -> str:
        return f"{from_minor(minor, digits=digits):f} {currency}"

    words = _WORDS.get(type(event))
    said = _plain(event, money) if words is None else words(event, money)
    reason = (personal or {}).get("reason")
    return f"{said}: {reason}" if reason else said


def _plain(event: Event, money: Money) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(event).__name__).capitalize()
    if not event.movements:
        return name
    moved = ", ".join(
        f"{money(m.amount_minor)} of reward {m.lot} from {m.source} to {m.target}"
        for m in event.movements
    )
    return f"{name}: {moved}"


def _issued(event: RewardIssued, money: Money) -> str:
    amount = money(event.value_remaining_minor)
    if event.value_remaining_minor != event.value_initial_minor:
        amount += f" of {money(event.value_initial_minor)}"
    until = _life(event.expires_at)
    pending = any(m.target is Book.PENDING for m in event.movements)
    start = f", from {utc_text(event.issued_at)} UTC on" if pending else ""
    origin = ""
    if event.restored_from is not None:
        origin = f", carrying on reward {event.restored_from}"
    if event.redemption_id is not None:
        origin += f" after a return of redemption {event.redemption_id}"
    return (
        f"Reward {event.reward_id} issued under definition {event.definition_id}: {amount}"
        f"{start} {until}{origin}"
    )


def _made(event: RedemptionMade, money: Money) -> str:
    return f"Redemption {event.redemption_id} took {_asked(event, money)}"


def _held(event: RedemptionHeld, money: Money) -> str:
    until = utc_text(event.held_until)
    return f"Redemption {event.redemption_id} holds {_asked(event, money)}, until {until} UTC"


def _asked(event: RedemptionRecord, money: Money) -> str:
    asked = ""
    if event.total_minor != event.requested_minor:
        asked = f" of the {money(event.requested_minor)} asked for"
    return f"{money(event.total_minor)}{asked}{_lots(event.movements, money, 'from')}"


def _captured(event: RedemptionCaptured, money: Money) -> str:
    taken = [m for m in event.movements if m.target is Book.REDEEMED]
    text = (
        f"Redemption {event.redemption_id} captured: {money(event.total_minor)} taken"
        f"{_lots(taken, money, 'from')}"
    )
    if event.released_minor:
        text += f"; {money(event.released_minor)} released{_too_late(event, money)}"
    return text


def _released(event: HoldReleased, money: Money) -> str:
    return (
        f"Redemption {event.redemption_id} released: {money(event.released_minor)} no longer held"
        f"{_too_late(event, money)}"
    )


def _lapsed(event: HoldLapsed, money: Money) -> str:
    return (
        f"The hold of redemption {event.redemption_id} lapsed at {utc_text(event.held_until)} UTC:"
        f" {money(event.released_minor)} no longer held{_too_late(event, money)}"
    )


def _too_late(event: RedemptionCaptured | HoldEnded, money: Money) -> str:
    """What of it has expired while it was held."""
    expired = sum(m.amount_minor for m in event.movements if m.target is Book.EXPIRED)
    return f", {money(expired)} of it expired meanwhile" if expired else ""


def _reversed(event: RedemptionReversed, money: Money) -> str:
    return (
        f"Redemption {event.redemption_id} reversed: {money(event.total_minor)} given back"
        f"{_back(event, money)}"
    )


def _returned(event: RedemptionReturned, money: Money) -> str:
    return (
        f"{money(event.total_minor)} of redemption {event.redemption_id} returned"
        f" ({event.policy}){_back(event, money)}"
    )


def _back(event: RedemptionReversed | RedemptionReturned, money: Money) -> str:
    text = _lots([m for m in event.movements if m.target is Book.AVAILABLE], money, "to")
    if event.forfeited_minor:
        text += f"; {money(event.forfeited_minor)} forfeited, its reward was revoked"
    return text


def _lots(movements: tuple[Movement, ...] | list[Movement], money: Money, preposition: str) -> str:
    """Which rewards, and how much each where there are several."""
    if not movements:
        return ""
    if len(movements) == 1:
        return f" {preposition} reward {movements[0].lot}"
    each = ", ".join(f"{m.lot} ({money(m.amount_minor)})" for m in movements)
    return f" {preposition} rewards {each}"


def _activated(event: RewardActivated, money: Money) -> str:
    return f"Reward {event.reward_id} became spendable: {_sum(event, money)}"


def _expired(event: RewardExpired, money: Money) -> str:
    when = utc_text(event.expires_at)
    return f"Reward {event.reward_id} expired at {when} UTC with {_sum(event, money)} unspent"


def _adjusted(event: RewardAdjusted, money: Money) -> str:
    said: list[str] = []
    for movement in event.movements:
        added = movement.source is Book.ISSUED
        said.append(f"{money(movement.amount_minor)} {'added' if added else 'taken back'}")
    if "value_initial" in event.changed:
        said.append(f"its value is {money(event.value_initial_minor)}")
    if "expires_at" in event.changed:
        said.append(f"it lives {_life(event.expires_at)}")
    if "meta" in event.changed:
        said.append("other meta")
    return f"Reward {event.reward_id} adjusted, {', '.join(said) or 'no value moved'}"


def _extended(event: RewardExtended, money: Money) -> str:
    back = f"; {_sum(event, money)} that had expired came back" if event.movements else ""
    before = utc_text(event.previous_expires_at)
    return (
        f"Reward {event.reward_id} extended from {before} UTC, now {_life(event.expires_at)}{back}"
    )


def _life(expires_at: datetime | None) -> str:
    return f"until {utc_text(expires_at)} UTC" if expires_at else "without an end"


def _revoked(event: RewardRevoked, money: Money) -> str:
    return f"Reward {event.reward_id} revoked, {_sum(event, money)} taken back"


def _merged_away(event: ProfileMergedAway | AccountPartHandedOver, money: Money) -> str:
    return f"This profile has become profile {event.into}, which takes {_all_of(event, money)}"


def _merged(event: ProfileMerged | AccountPartTakenOver, money: Money) -> str:
    return f"Profile {event.giver} has become this one and brings {_all_of(event, money)}"


def _all_of(event: HandedOver | TakenOver, money: Money) -> str:
    rewards = len(event.rewards if isinstance(event, HandedOver) else event.lots)
    rest = [m for m in event.movements if Book.AVAILABLE in (m.source, m.target)]
    available = money(sum(movement.amount_minor for movement in rest))
    return f"{rewards} reward{'' if rewards == 1 else 's'}, {available} of them available"


def _sent(event: RewardSent, money: Money) -> str:
    return f"Reward {event.rewards[0]} reassigned to profile {event.into}: {_sum(event, money)}"


def _received(event: RewardReceived, money: Money) -> str:
    lot = event.lots[0]
    return f"Reward {lot.reward_id} came from profile {event.giver}: {_sum(event, money)}"


def _attached(event: TransactionAttached, money: Money) -> str:
    named = f" ({event.external_id})" if event.external_id else ""
    return f"Transaction {event.transaction_id}{named} over {money(event.total_minor)} recorded"


def _changed(event: AttachedTransactionChanged, money: Money) -> str:
    return f"Transaction {event.transaction_id} changed; it is over {money(event.total_minor)}"


def _goods(event: AttachedGoodsReturned, money: Money) -> str:
    text = f"Transaction {event.return_transaction_id} brought back goods of transaction "
    text += str(event.transaction_id)
    if event.given_back_minor:
        text += f", {money(event.given_back_minor)} of redemptions with them"
    return text


def _claimed(event: TransactionClaimOpened, money: Money) -> str:
    return f"Claim {event.claim_id} on a transaction over {money(event.total_minor)}"


def _sum(event: Event, money: Money) -> str:
    return money(sum(movement.amount_minor for movement in event.movements))


_WORDS: Mapping[type[Event], Callable[[Any, Money], str]] = {
    ProfileRegistered: lambda e, _: f"Profile {e.profile_id} registered",
    IdentityAttached: lambda e, _: f"Known by {e.handle} identity {e.identity_id} from now on",
    IdentityDetached: lambda e, _: f"Identity {e.identity_id} detached",
    ProfileChanged: lambda e, _: f"What is known of profile {e.profile_id} changed",
    ProfileDeleted: lambda e, _: f"Profile {e.profile_id} deleted: it gives and takes nothing",
    ProfileRestored: lambda e, _: f"Profile {e.profile_id} restored",
    AccountPartHandedOver: _merged_away,
    ProfileMergedAway: _merged_away,
    ProfileMerged: _merged,
    AccountPartTakenOver: _merged,
    RewardIssued: _issued,
    RewardSent: _sent,
    RewardReceived: _received,
    RewardActivated: _activated,
    RewardExpired: _expired,
    RewardAdjusted: _adjusted,
    RewardExtended: _extended,
    RewardRevoked: _revoked,
    RedemptionMade: _made,
    RedemptionHeld: _held,
    RedemptionCaptured: _captured,
    HoldReleased: _released,
    HoldLapsed: _lapsed,
    RedemptionReversed: _reversed,
    RedemptionReturned: _returned,
    TransactionAttached: _attached,
    TransactionLinked: lambda e, _: (
        f"Redemption {e.redemption_id} paid for transaction {e.transaction_id}"
    ),
    TransactionUnlinked: lambda e, _: (
        f"Redemption {e.redemption_id} no longer belongs to transaction {e.transaction_id}"
    ),
    PersonalDataErased: lambda e, _: f"Personal data erased: {len(e.keys)} keys destroyed",
    AttachedTransactionChanged: _changed,
    AttachedGoodsReturned: _goods,
    TransactionUnattached: lambda e, _: f"Transaction {e.transaction_id} unattached",
    TransactionClaimOpened: _claimed,
    TransactionClaimChecked: lambda e, _: (
        f"Claim {e.claim_id} does not mean transaction {e.checked_transaction_id}"
    ),
    TransactionClaimed: lambda e, _: f"Claim {e.claim_id} found transaction {e.transaction_id}",
    TransactionClaimRejected: lambda e, _: (
        f"Claim {e.claim_id} rejected: its transaction is another profile's"
    ),
    AttachedTransactionVoided: lambda e, _: f"Transaction {e.transaction_id} voided",
}
