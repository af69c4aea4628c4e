"""Record, link and void a transaction: events of its own stream and of the profile's account."""

from datetime import datetime, timedelta

from ledger.account.registrations import refuse_closed
from ledger.account.returns import undo_redemption
from ledger.account.rewards import facts_due
from ledger.account.state import Account, Redemption
from ledger.decider import Circumstances
from ledger.rejections import (
    InvalidTransaction,
    RedemptionOfAnotherProfile,
    UnknownNamedProfile,
)
from ledger.transactions.sale_events import (
    SaleEvents,
    announced_for,
    attachment,
    attribute,
    no_redemption,
    refuse_unlinkable,
    return_of_goods,
    void_for_good,
)
from ledger.transactions.state import Transaction
from schemas.profiles import ProfileRegistered
from schemas.times import parse_instant
from schemas.transactions import (
    AttachedTransactionVoided,
    RecordTransaction,
    TransactionRecorded,
    TransactionUnlinked,
    TransactionVoided,
    facts_of,
)

AHEAD_MAX = timedelta(minutes=5)
"""How far a till's clock may run ahead."""


def record_transaction(
    command: RecordTransaction, profile_id: str | None, account: Account, at: Circumstances
) -> SaleEvents:
    """A sale, with the redemption it names and those that announced it (article, step 4).

    `account` is the profile's; for an anonymous sale it is an empty one, and nothing is written
    there.
    """
    recorded = _recorded(command, profile_id, at)
    sale = SaleEvents(Transaction(), account).then(transaction=(recorded,))
    if profile_id is not None:
        sale = attached_to(sale, profile_id, at)
        for redemption in _redemptions_of(command, sale.account, at):
            sale = attribute(sale, redemption)
    if command.is_void:
        sale = void_sale(sale, at, keep_redemption=command.keep_redemption)
    return sale


def link_redemption(
    redemption_id: int, transaction: Transaction, account: Account, at: Circumstances
) -> SaleEvents:
    """Attribute a redemption later than its sale. Doing it twice does nothing."""
    sale = SaleEvents(transaction, account)
    redemption = account.redemptions.get(redemption_id)
    if redemption is None:
        raise no_redemption(redemption_id)
    if transaction.void:
        raise void_for_good(transaction)
    if redemption.transaction_id == transaction.id:
        return sale
    _refuse_another_profile(transaction, account)
    refuse_unlinkable(redemption, transaction.external_id, at)
    if transaction.total_minor < 0:
        raise return_of_goods()
    sale = sale.then(account=facts_due(account, at.now))
    if transaction.profile_id is None:
        sale = sale.then(account=(attachment(transaction),))
    return attribute(sale, redemption)


def attached_to(sale: SaleEvents, profile_id: str, at: Circumstances) -> SaleEvents:
    """The sale is noted on its account, which begins with it where it has to."""
    if sale.transaction.total_minor >= 0:  # goods come back whoever has gone
        refuse_closed(sale.account)
    sale = sale.then(account=facts_due(sale.account, at.now))
    if not sale.account.registered:
        if not at.settings.auto_register:
            raise UnknownNamedProfile(
                f"There is no profile {profile_id!r}; register it first.", "profile_id"
            )
        sale = sale.then(account=(ProfileRegistered(profile_id=profile_id),))
    return sale.then(account=(attachment(sale.transaction),))


def link_announced(
    redemption: Redemption, transaction: Transaction, account: Account
) -> SaleEvents:
    """The sale a redemption announces is already there."""
    refuse_announced(transaction, account)
    sale = SaleEvents(transaction, account)
    if transaction.profile_id is None:
        sale = sale.then(account=(attachment(transaction),))
    return attribute(sale, redemption)


def refuse_announced(transaction: Transaction, account: Account) -> None:
    """Refuse a sale that is there and can't be what a redemption of this account pays for.

    Raises:
        Rejection: it is void, another profile's, or a return of goods.
    """
    if transaction.void:
        raise void_for_good(transaction)
    _refuse_another_profile(transaction, account)
    if transaction.total_minor < 0:
        raise return_of_goods()


def void_transaction(
    transaction: Transaction, account: Account, at: Circumstances, *, keep_redemption: bool
) -> SaleEvents:
    """The sale did not happen; its redemptions come back. Final, and a no-op the second time."""
    sale = SaleEvents(transaction, account)
    return sale if transaction.void else void_sale(sale, at, keep_redemption=keep_redemption)


def instant_of(text: str, zone: str, at: Circumstances) -> datetime:
    """When a sale took place.

    Raises:
        InvalidTransaction: there is no such time, or it is ahead.
    """
    try:
        transacted_at = parse_instant(text, zone)
    except ValueError as error:
        raise InvalidTransaction(f"transacted_at: {error}", field="transacted_at") from error
    if transacted_at > at.now + AHEAD_MAX:
        raise InvalidTransaction(
            "transacted_at is more than 5 minutes ahead; check the time zone and the till's clock.",
            field="transacted_at",
        )
    return transacted_at


def _recorded(
    command: RecordTransaction, profile_id: str | None, at: Circumstances
) -> TransactionRecorded:
    total_minor = at.minor(command.total, "total")
    if total_minor < 0 and command.redemption_id is not None:
        raise return_of_goods()
    return TransactionRecorded(
        transaction_id=next(at.ids),
        profile_id=profile_id,
        total_minor=total_minor,
        transacted_at=instant_of(command.transacted_at, command.timezone, at),
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
            raise no_redemption(command.redemption_id)
        refuse_unlinkable(named, command.external_id, at)
        found.append(named)
    announced = announced_for(command.external_id, at.minor(command.total, "total"), account)
    found.extend(redemption for redemption in announced if redemption not in found)
    return found


def _refuse_another_profile(transaction: Transaction, account: Account) -> None:
    if transaction.profile_id is not None and not account.is_of(transaction.profile_id):
        raise RedemptionOfAnotherProfile(
            f"Transaction {transaction.id} belongs to another profile than the redemption."
        )


def void_sale(sale: SaleEvents, at: Circumstances, *, keep_redemption: bool) -> SaleEvents:
    """The sale did not happen: its redemptions are unlinked, and come back unless kept."""
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
