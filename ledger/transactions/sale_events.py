"""A sale in the making: what is written to its stream and to its account, and what may pay."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.account.folding import fold
from ledger.account.state import Account, Redemption
from ledger.decider import Circumstances
from ledger.rejections import (
    InvalidTransaction,
    RedemptionAnnouncedElsewhere,
    RedemptionGivenBack,
    RedemptionIsHeld,
    RedemptionLinkedElsewhere,
    TransactionIsVoid,
    UnknownLinkedRedemption,
)
from ledger.transactions.shares import shares
from ledger.transactions.state import Transaction, evolve_transaction
from schemas.events import Event
from schemas.transactions import RedemptionAttributed, TransactionAttached, TransactionLinked


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


def announced_for(external_id: str | None, total_minor: int, account: Account) -> list[Redemption]:
    """The redemptions that wait for a sale under its name; a return of goods takes none."""
    if external_id is None or total_minor < 0:
        return []
    numbers = account.announcements.get(external_id, ())
    return [
        redemption
        for redemption in (account.redemptions[number] for number in numbers)
        if redemption.transaction_id is None and redemption.outstanding()
    ]


def refuse_unlinkable(redemption: Redemption, external_id: str | None, at: Circumstances) -> None:
    """Refuse a redemption that can't pay for the sale of this name.

    Raises:
        Rejection: it paid for another, is meant for another, or was given back.
    """
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


def attachment(transaction: Transaction) -> TransactionAttached:
    """How its account notes a transaction."""
    assert transaction.id is not None
    assert transaction.transacted_at is not None
    return TransactionAttached(
        transaction_id=transaction.id,
        external_id=transaction.external_id,
        total_minor=transaction.total_minor,
        transacted_at=transaction.transacted_at,
    )


def no_redemption(redemption_id: int) -> UnknownLinkedRedemption:
    """Nothing on the account that a sale can name."""
    return UnknownLinkedRedemption(
        f"There is no redemption {redemption_id} on this account that a transaction can name."
    )


def void_for_good(transaction: Transaction) -> TransactionIsVoid:
    return TransactionIsVoid(f"Transaction {transaction.id} is void, and that is final.")


def return_of_goods() -> InvalidTransaction:
    """A negative total was paid by nothing."""
    return InvalidTransaction(
        "A return of goods has a negative total and names no redemption_id: nothing was redeemed.",
        field="redemption_id",
    )
