"""Record, link and void a transaction: events of its own stream and of the profile's account."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from ledger.account.returns import undo_redemption
from ledger.account.rewards import facts_due
from ledger.account.state import Account, Redemption, fold
from ledger.decider import Circumstances
from ledger.rejections import (
    InvalidTransaction,
    RedemptionAnnouncedElsewhere,
    RedemptionGivenBack,
    RedemptionIsHeld,
    RedemptionLinkedElsewhere,
    RedemptionOfAnotherProfile,
    TransactionIsVoid,
    UnknownLinkedRedemption,
)
from ledger.transactions.shares import shares
from ledger.transactions.state import Transaction, evolve_transaction
from schemas.events import Event
from schemas.profiles import ProfileRegistered
from schemas.times import parse_instant
from schemas.transactions import (
    AttachedTransactionVoided,
    RecordTransaction,
    RedemptionAttributed,
    TransactionAttached,
    TransactionLinked,
    TransactionRecorded,
    TransactionUnlinked,
    TransactionVoided,
    facts_of,
)

AHEAD_MAX = timedelta(minutes=5)
"""How far a till's clock may run ahead."""


@dataclass(frozen=True, slots=True)
class SaleEvents:
    """What a decision writes to both streams, and the states after it."""

    transaction: Transaction
    account: Account
    of_transaction: tuple[Event, ...] = ()
    of_account: tuple[Event, ...] = ()

    def then(
        self, *, transaction: Iterable[Event] = (), account: Iterable[Event] = ()
    ) -> "SaleEvents":
        """The same with more events."""
        of_transaction, of_account = tuple(transaction), tuple(account)
        state = self.transaction
        for event in of_transaction:
            state = evolve_transaction(state, event)
        return SaleEvents(
            state,
            fold(of_account, self.account),
            self.of_transaction + of_transaction,
            self.of_account + of_account,
        )

    def in_both_streams(
        self, of_transaction: str, of_account: str | None
    ) -> tuple[tuple[str, Event], ...]:
        """Its events, each with its stream; without an account there are none of one."""
        assert of_account is not None or not self.of_account
        return (
            *((of_transaction, event) for event in self.of_transaction),
            *((of_account or "", event) for event in self.of_account),
        )


def record_transaction(
    command: RecordTransaction, profile_id: str | None, account: Account, at: Circumstances
) -> SaleEvents:
    """A sale, with the redemption it names and those that announced it (article, step 4).

    `account` is the profile's; for an anonymous sale it is an empty one, and nothing is written
    there.
    """
    recorded = _recorded(command, profile_id, at)
    sale = SaleEvents(Transaction(), account).then(transaction=(recorded,))
    if profile_id is None:
        return _void(sale, at, keep_redemption=command.keep_redemption) if command.is_void else sale
    sale = sale.then(account=facts_due(account, at.now))
    if not account.registered:
        sale = sale.then(account=(ProfileRegistered(profile_id=profile_id),))
    attached = TransactionAttached(
        transaction_id=recorded.transaction_id,
        external_id=recorded.external_id,
        total_minor=recorded.total_minor,
        transacted_at=recorded.transacted_at,
    )
    sale = sale.then(account=(attached,))
    for redemption in _redemptions_of(command, account, at):
        sale = attribute(sale, redemption)
    if command.is_void:
        sale = _void(sale, at, keep_redemption=command.keep_redemption)
    return sale


def link_redemption(
    redemption_id: int, transaction: Transaction, account: Account, at: Circumstances
) -> SaleEvents:
    """Attribute a redemption later than its sale. Doing it twice does nothing."""
    sale = SaleEvents(transaction, account)
    redemption = account.redemptions.get(redemption_id)
    if redemption is None:
        raise _no_redemption(redemption_id)
    if transaction.void:
        raise _is_void(transaction)
    if redemption.transaction_id == transaction.id:
        return sale
    _refuse_another_profile(transaction, account)
    _refuse_unlinkable(redemption, transaction.external_id, at)
    if transaction.total_minor < 0:
        raise _return_of_goods()
    sale = sale.then(account=facts_due(account, at.now))
    if transaction.profile_id is None:
        sale = sale.then(account=(_attached_late(transaction),))
    return attribute(sale, redemption)


def link_announced(
    redemption: Redemption, transaction: Transaction, account: Account
) -> SaleEvents:
    """The sale a redemption announces is already there."""
    refuse_announced(transaction, account)
    sale = SaleEvents(transaction, account)
    if transaction.profile_id is None:
        sale = sale.then(account=(_attached_late(transaction),))
    return attribute(sale, redemption)


def refuse_announced(transaction: Transaction, account: Account) -> None:
    """Refuse a sale that is there and can't be what a redemption of this account pays for.

    Raises:
        Rejection: it is void, another profile's, or a return of goods.
    """
    if transaction.void:
        raise _is_void(transaction)
    _refuse_another_profile(transaction, account)
    if transaction.total_minor < 0:
        raise _return_of_goods()


def void_transaction(
    transaction: Transaction, account: Account, at: Circumstances, *, keep_redemption: bool
) -> SaleEvents:
    """The sale did not happen; its redemptions come back. Final, and a no-op the second time."""
    sale = SaleEvents(transaction, account)
    return sale if transaction.void else _void(sale, at, keep_redemption=keep_redemption)


def attribute(sale: SaleEvents, redemption: Redemption) -> SaleEvents:
    """One more redemption on the transaction; the shares are those of all of them together."""
    transaction = sale.transaction
    assert transaction.id is not None
    assert sale.account.profile_id is not None
    spread = shares(transaction.attributed_minor + redemption.total_minor, transaction.weights)
    attributed = RedemptionAttributed(
        transaction_id=transaction.id,
        redemption_id=redemption.id,
        profile_id=sale.account.profile_id,
        total_minor=redemption.total_minor,
        parts=tuple(
            RedemptionAttributed.RewardPart(reward_id=lot, amount_minor=amount)
            for lot, amount in redemption.taken
        ),
        shares_minor=spread.by_line,
        unallocated_minor=spread.unallocated,
    )
    linked = TransactionLinked(transaction_id=transaction.id, redemption_id=redemption.id)
    return sale.then(transaction=(attributed,), account=(linked,))


def _recorded(
    command: RecordTransaction, profile_id: str | None, at: Circumstances
) -> TransactionRecorded:
    total_minor = at.minor(command.total, "total")
    if total_minor < 0 and command.redemption_id is not None:
        raise _return_of_goods()
    try:
        transacted_at = parse_instant(command.transacted_at, command.timezone)
    except ValueError as error:
        raise InvalidTransaction(f"transacted_at: {error}") from error
    if transacted_at > at.now + AHEAD_MAX:
        raise InvalidTransaction(
            "transacted_at is more than 5 minutes ahead; check the time zone and the till's clock."
        )
    return TransactionRecorded(
        transaction_id=next(at.ids),
        profile_id=profile_id,
        total_minor=total_minor,
        transacted_at=transacted_at,
        timezone=command.timezone,
        personal=at.personal,
        **facts_of(command),
    )


def _redemptions_of(
    command: RecordTransaction, account: Account, at: Circumstances
) -> list[Redemption]:
    """The named redemption, which must fit, and the announced ones that still can be linked."""
    found: list[Redemption] = []
    if command.redemption_id is not None:
        named = account.redemptions.get(command.redemption_id)
        if named is None:
            raise _no_redemption(command.redemption_id)
        _refuse_unlinkable(named, command.external_id, at)
        found.append(named)
    if command.external_id is not None and command.total >= 0:
        announced = account.announcements.get(command.external_id, ())
        found.extend(
            redemption
            for redemption in (account.redemptions[number] for number in announced)
            if redemption not in found
            and redemption.transaction_id is None
            and redemption.outstanding()
        )
    return found


def _refuse_unlinkable(redemption: Redemption, external_id: str | None, at: Circumstances) -> None:
    if redemption.transaction_id is not None:
        raise RedemptionLinkedElsewhere(
            f"Redemption {redemption.id} paid for transaction {redemption.transaction_id}.",
            transaction_id=redemption.transaction_id,
        )
    if redemption.announced is not None and redemption.announced != external_id:
        raise RedemptionAnnouncedElsewhere(
            f"Redemption {redemption.id} was made for the transaction with external_id "
            f"{redemption.announced!r}."
        )
    if redemption.is_held(at.now):
        raise RedemptionIsHeld(
            f"Redemption {redemption.id} only holds its value so far; capture it first.",
            field="redemption_id",
        )
    if not redemption.outstanding():
        raise RedemptionGivenBack(
            f"Redemption {redemption.id} was given back; redeem again and link that one."
        )


def _refuse_another_profile(transaction: Transaction, account: Account) -> None:
    if transaction.profile_id not in (None, account.profile_id):
        raise RedemptionOfAnotherProfile(
            f"Transaction {transaction.id} belongs to another profile than the redemption."
        )


def _void(sale: SaleEvents, at: Circumstances, *, keep_redemption: bool) -> SaleEvents:
    transaction = sale.transaction
    assert transaction.id is not None
    voided = TransactionVoided(transaction_id=transaction.id, keep_redemption=keep_redemption)
    sale = sale.then(transaction=(voided,))
    if transaction.profile_id is None:
        return sale
    sale = sale.then(account=facts_due(sale.account, at.now))
    for redemption_id, _ in transaction.redemptions:
        unlinked = TransactionUnlinked(transaction_id=transaction.id, redemption_id=redemption_id)
        sale = sale.then(account=(unlinked,))
        if not keep_redemption:
            redemption = sale.account.redemptions[redemption_id]
            sale = sale.then(account=undo_redemption(redemption, sale.account, at))
    return sale.then(account=(AttachedTransactionVoided(transaction_id=transaction.id),))


def _attached_late(transaction: Transaction) -> TransactionAttached:
    assert transaction.id is not None
    assert transaction.transacted_at is not None
    return TransactionAttached(
        transaction_id=transaction.id,
        external_id=transaction.external_id,
        total_minor=transaction.total_minor,
        transacted_at=transaction.transacted_at,
    )


def _no_redemption(redemption_id: int) -> UnknownLinkedRedemption:
    return UnknownLinkedRedemption(
        f"There is no redemption {redemption_id} on this account that a transaction can name."
    )


def _is_void(transaction: Transaction) -> TransactionIsVoid:
    return TransactionIsVoid(f"Transaction {transaction.id} is void, and that is final.")


def _return_of_goods() -> InvalidTransaction:
    return InvalidTransaction(
        "A return of goods has a negative total and names no redemption_id: nothing was redeemed."
    )
