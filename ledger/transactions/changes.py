"""Change a transaction: what is told and differs has a new value, everything else stays."""

from typing import Any

from pydantic_core import to_json

from ledger.account.rewards import facts_due
from ledger.decider import Circumstances
from ledger.rejections import (
    InvalidTransaction,
    TransactionHasRedemptions,
    TransactionHasReturns,
    TransactionIdMismatch,
    TransactionPaidOtherwise,
)
from ledger.transactions.decisions import attached_to, instant_of, void_sale
from ledger.transactions.sale_events import (
    SaleEvents,
    announced_for,
    attribute,
    no_redemption,
    refuse_unlinkable,
    return_of_goods,
    void_for_good,
)
from ledger.transactions.shares import shares
from ledger.transactions.state import Transaction
from schemas.events import Event
from schemas.transaction_changes import (
    CLEARABLE,
    DETAILS,
    LISTS,
    AttachedTransactionChanged,
    RedemptionsSpread,
    TransactionAssigned,
    TransactionChanged,
    TransactionChanges,
    TransactionUnattached,
)
from schemas.transactions import list_facts

_WITH_PERSONAL = ("items", "payments")
"""Lists whose entries may have something personal."""
_OF_A_RETURN = frozenset({"items", "linked_receipt_ref"})


def is_stale(told: TransactionChanges, transaction: Transaction) -> bool:
    """Whether the sender's own version is older than the one that stands."""
    standing = transaction.sale.get("source_version")
    if told.source_version is None or standing is None:
        return False
    return bool(told.source_version < standing)


def change_transaction(
    told: TransactionChanges, sale: SaleEvents, profile_id: str | None, at: Circumstances
) -> SaleEvents:
    """The sale as it is told now. `profile_id` is whose it is from now on; `sale.account` is that
    profile's.
    """
    before = sale.transaction
    changed = _difference(told, before, at)
    if before.void:
        joins = before.profile_id is None and profile_id is not None
        if changed or joins or told.is_void is False or _names_another(told, before):
            raise void_for_good(before)
        return sale
    if changed:
        _refuse_other_lines(before, changed)
        sale = sale.then(transaction=(changed, *_spread_anew(sale, changed)))
    if before.profile_id is None and profile_id is not None:
        sale = assigned(sale, profile_id, at)
    elif changed and profile_id is not None:
        sale = sale.then(account=(*facts_due(sale.account, at.now), _noted(sale.transaction)))
    sale = _paid(told, sale, at)
    if told.is_void:
        sale = void_sale(sale, at, keep_redemption=told.keep_redemption)
    return sale


def assigned(sale: SaleEvents, profile_id: str, at: Circumstances) -> SaleEvents:
    """A sale of nobody's becomes this profile's, as if it had been from the start."""
    transaction = sale.transaction
    assert transaction.id is not None
    mine = TransactionAssigned(transaction_id=transaction.id, profile_id=profile_id)
    return attached_to(sale.then(transaction=(mine,)), profile_id, at)


def unattach_transaction(sale: SaleEvents, at: Circumstances) -> SaleEvents:
    """The sale is nobody's again, if nothing of its profile's paid for it."""
    transaction = sale.transaction
    assert transaction.id is not None
    assert transaction.profile_id is not None
    if transaction.void:
        raise void_for_good(transaction)
    if transaction.redemptions:
        raise TransactionHasRedemptions(
            f"Redemption {transaction.redemptions[0][0]} of this profile paid for transaction "
            f"{transaction.id}; void it instead."
        )
    gone = TransactionUnattached(transaction_id=transaction.id, profile_id=transaction.profile_id)
    return sale.then(transaction=(gone,), account=(*facts_due(sale.account, at.now), gone))


def _difference(
    told: TransactionChanges, transaction: Transaction, at: Circumstances
) -> TransactionChanged | None:
    assert transaction.id is not None
    new: dict[str, Any] = {}
    cleared: list[str] = []
    # What is personal is sealed, and nobody can see here whether it differs.
    unseen = not transaction.void and (transaction.has_personal or at.personal is not None)
    for name in (*DETAILS, *LISTS):
        value, standing = _told(told, name), transaction.sale.get(name)
        if name not in told.model_fields_set:
            continue
        if _same(value, standing) and not (name in _WITH_PERSONAL and unseen):
            continue
        if value is not None:
            new[name] = value
        elif name in CLEARABLE:
            cleared.append(name)
    if "external_id" in new and transaction.external_id is not None:
        raise TransactionIdMismatch(
            f"Transaction {transaction.id} has the external_id {transaction.external_id!r}, "
            "and keeps it."
        )
    new |= _new_time_and_total(told, transaction, at)
    if not new and not cleared and (at.personal is None or transaction.void):
        return None
    return TransactionChanged(
        transaction_id=transaction.id, cleared=tuple(cleared), personal=at.personal, **new
    )


def _new_time_and_total(
    told: TransactionChanges, transaction: Transaction, at: Circumstances
) -> dict[str, Any]:
    new: dict[str, Any] = {}
    if told.total is not None and at.minor(told.total, "total") != transaction.total_minor:
        new["total_minor"] = at.minor(told.total, "total")
        if new["total_minor"] < 0 and (transaction.redemptions or told.redemption_id is not None):
            raise InvalidTransaction(
                "A redemption paid for it, so its total can't become negative.", field="total"
            )
    zone = told.timezone or transaction.timezone
    if zone != transaction.timezone:
        new["timezone"] = zone
    if told.transacted_at is not None:
        transacted_at = instant_of(told.transacted_at, zone, at)
        if transacted_at != transaction.transacted_at:
            new["transacted_at"] = transacted_at
    return new


def _told(told: TransactionChanges, name: str) -> Any:
    value = getattr(told, name)
    return value if value is None or name not in LISTS else list_facts(name, value)


def _same(value: Any, standing: Any) -> bool:
    """As JSON says it: to Python true is 1, and 1 is 1.0."""
    return to_json(value) == to_json(standing)


def _refuse_other_lines(transaction: Transaction, changed: TransactionChanged) -> None:
    named = {
        name
        for name in changed.new_values.keys() & _OF_A_RETURN
        if not _same(changed.new_values[name], transaction.sale.get(name))
    }
    if transaction.sale_id is not None and named:
        raise TransactionHasReturns(
            f"Transaction {transaction.id} is a return of transaction {transaction.sale_id}; "
            "void it and send another."
        )
    if transaction.returns and "items" in named:
        raise TransactionHasReturns(
            f"Goods of transaction {transaction.id} came back, so its lines stay as they are."
        )


def _spread_anew(sale: SaleEvents, changed: TransactionChanged) -> tuple[Event, ...]:
    if changed.items is None or not sale.transaction.redemptions:
        return ()
    after = sale.then(transaction=(changed,)).transaction
    spread = shares(after.attributed_minor, after.weights)
    return (
        RedemptionsSpread(
            transaction_id=changed.transaction_id,
            shares_minor=spread.by_line,
            unallocated_minor=spread.unallocated,
        ),
    )


def _paid(told: TransactionChanges, sale: SaleEvents, at: Circumstances) -> SaleEvents:
    """The redemption it names, and those that wait for a sale of the name it has now."""
    transaction = sale.transaction
    paying = []
    if told.redemption_id is not None and _names_another(told, transaction):
        if transaction.redemptions:
            raise TransactionPaidOtherwise(
                f"Redemption {transaction.redemptions[0][0]} paid for transaction "
                f"{transaction.id}; redemption_id alone links another one to it."
            )
        named = sale.account.redemptions.get(told.redemption_id)
        if named is None:
            raise no_redemption(told.redemption_id)
        refuse_unlinkable(named, transaction.external_id, at)
        if transaction.total_minor < 0:
            raise return_of_goods()
        paying.append(named)
    announced = announced_for(transaction.external_id, transaction.total_minor, sale.account)
    paying += [redemption for redemption in announced if redemption not in paying]
    for redemption in paying:
        sale = attribute(sale, redemption)
    return sale


def _names_another(told: TransactionChanges, transaction: Transaction) -> bool:
    found = {number for number, _ in transaction.redemptions}
    return told.redemption_id is not None and told.redemption_id not in found


def _noted(transaction: Transaction) -> AttachedTransactionChanged:
    assert transaction.id is not None
    return AttachedTransactionChanged(
        transaction_id=transaction.id, total_minor=transaction.total_minor
    )
