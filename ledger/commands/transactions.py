"""Commands about transactions: the sale's stream, the profile's account and the receipt's stream in
one append.
"""

from collections.abc import Iterator

from ledger.account.state import Account
from ledger.addressing import account_of, holder_of, transaction_at
from ledger.announcements import announcement
from ledger.commands.handler import Handler, Handlers, likely_profile, of_profile
from ledger.decider import Circumstances, Decision, View
from ledger.drafting import Draft
from ledger.receipts.claims import claim_transaction
from ledger.receipts.settling import follow
from ledger.receipts.state import receipt_stream
from ledger.rejections import (
    InvalidTransaction,
    RedemptionOfAnotherProfile,
    TransactionIdMismatch,
    TransactionProfileMismatch,
    UnknownLinkedRedemption,
    UnknownTransaction,
)
from ledger.transactions.changes import change_transaction, is_stale, unattach_transaction
from ledger.transactions.decisions import link_redemption, record_transaction, void_transaction
from ledger.transactions.sale_events import SaleEvents
from ledger.transactions.state import Transaction, transaction_stream
from schemas.transaction_changes import (
    ChangeTransaction,
    TransactionChanges,
    UnattachTransaction,
    UpsertTransaction,
)
from schemas.transaction_claims import ClaimTransaction
from schemas.transactions import SALE_FIELDS, LinkRedemption, RecordTransaction, VoidTransaction

_NEEDED = ("total", "transacted_at", "timezone", "items")
_OF_A_NEW_ONE = (*SALE_FIELDS, *_NEEDED, "profile_id", "redemption_id", "is_void")


def _record(command: RecordTransaction, view: View, at: Circumstances) -> Decision:
    stream_id = _account_of_sale(command, view, at)
    account: Account = Account() if stream_id is None else view.state(stream_id)
    profile_id = command.profile_id or account.profile_id
    sale = record_transaction(command, profile_id, account, at)
    assert sale.transaction.id is not None
    return _settled(sale, Transaction(), stream_id, view, at)


def _settled(
    sale: SaleEvents, before: Transaction, of_account: str | None, view: View, at: Circumstances
) -> Decision:
    """The sale's events, and what follows from its receipts."""
    assert sale.transaction.id is not None
    of_transaction = transaction_stream(sale.transaction.id)
    draft = Draft(view)
    if before.id is None:
        draft.begin(of_transaction)
    draft.add(sale.in_both_streams(of_transaction, of_account))
    if sale.of_transaction:
        follow(draft, before, sale.transaction.id, of_account, at)
    return draft.decision(of_transaction)


def _account_of_sale(command: RecordTransaction, view: View, at: Circumstances) -> str | None:
    """The account a sale belongs to: its profile's, its redemption's, or the announcer's."""
    of_profile = None if command.profile_id is None else account_of(command.profile_id, view)
    of_redemption = None
    if command.redemption_id is not None:
        of_redemption = _holder_of_linked(command.redemption_id, view)
    announcer = None
    if command.external_id is not None and command.total >= 0:
        announcer = announcement(command.external_id, view, at.now).waiting
    return _only({of_profile, of_redemption, announcer})


def _only(streams: set[str | None]) -> str | None:
    found = streams - {None}
    if len(found) > 1:
        raise RedemptionOfAnotherProfile(
            "The transaction's profile and the profile of its redemption are not the same."
        )
    return found.pop() if found else None


def _upsert(command: UpsertTransaction, view: View, at: Circumstances) -> Decision:
    named = _named(command, view)
    if command.id is not None and (named is not None or command.external_id is None):
        of_id, _ = transaction_at(command.id, view)
        _refuse_two(of_id, named, command)
        named = of_id
    elif command.id is not None:
        of_id = transaction_stream(command.id)
        named = of_id if view.state(of_id).id is not None else None
    if named is None:
        return _record(_new(command), view, at)
    return _changed(command, named, view, at)


def _named(command: TransactionChanges, view: View) -> str | None:
    """The stream of the transaction with this external_id."""
    if command.external_id is None:
        return None
    return view.stream_named("transaction.external_id", command.external_id)


def _refuse_two(of_id: str, named: str | None, command: TransactionChanges) -> None:
    if named not in (None, of_id):
        raise TransactionIdMismatch(
            f"The transaction with external_id {command.external_id!r} is another one."
        )


def _new(command: UpsertTransaction) -> RecordTransaction:
    """The upsert of a transaction that isn't there records it."""
    for name in _NEEDED:
        if getattr(command, name) is None:
            raise InvalidTransaction(
                f"There is no such transaction yet, and a new one needs {name}.", field=name
            )
    told = {name: getattr(command, name) for name in _OF_A_NEW_ONE}
    given = {name: value for name, value in told.items() if value is not None}
    keep = command.keep_redemption
    return RecordTransaction.model_construct(set(given), **given, keep_redemption=keep)


def _change(command: ChangeTransaction, view: View, at: Circumstances) -> Decision:
    of_transaction, _ = transaction_at(command.transaction_id, view)
    _refuse_two(of_transaction, _named(command, view), command)
    return _changed(command, of_transaction, view, at)


def _changed(
    command: TransactionChanges, of_transaction: str, view: View, at: Circumstances
) -> Decision:
    before: Transaction = view.state(of_transaction)
    if is_stale(command, before):
        return Decision(of_transaction, ())
    of_account = _account_of_change(command, before, view, at)
    account: Account = Account() if of_account is None else view.state(of_account)
    profile_id = before.profile_id or command.profile_id or account.profile_id
    sale = change_transaction(command, SaleEvents(before, account), profile_id, at)
    return _settled(sale, before, of_account, view, at)


def _account_of_change(
    command: TransactionChanges, before: Transaction, view: View, at: Circumstances
) -> str | None:
    """The account it belongs to from now on."""
    told = None if command.profile_id is None else account_of(command.profile_id, view)
    mine = None if before.profile_id is None else account_of(before.profile_id, view)
    if mine is not None and told not in (None, mine):
        raise TransactionProfileMismatch(
            f"Transaction {before.id} is another profile's; unattach it there first."
        )
    of_redemption = None
    if command.redemption_id is not None:
        of_redemption = _holder_of_linked(command.redemption_id, view)
    announcer = None
    total = before.total_minor if command.total is None else command.total
    if command.external_id is not None and before.external_id is None and total >= 0:
        announcer = announcement(command.external_id, view, at.now).waiting
    return _only({told, mine, of_redemption, announcer})


def _link(command: LinkRedemption, view: View, at: Circumstances) -> Decision:
    transaction_id = _linked_transaction(command, view)
    _, transaction = transaction_at(transaction_id, view)
    stream_id, redemption_id = _linked_redemption(command, view)
    sale = link_redemption(redemption_id, transaction, view.state(stream_id), at)
    return _settled(sale, transaction, stream_id, view, at)


def _linked_transaction(command: LinkRedemption, view: View) -> int:
    external_id = command.transaction_external_id
    if external_id is None:
        assert command.transaction_id is not None
        return command.transaction_id
    stream_id = view.stream_named("transaction.external_id", external_id)
    transaction_id = None if stream_id is None else view.state(stream_id).id
    if transaction_id is None:
        raise UnknownTransaction(f"There is no transaction with external_id {external_id!r}.")
    return int(transaction_id)


def _linked_redemption(command: LinkRedemption, view: View) -> tuple[str, int]:
    """The account it is on, and its id."""
    external_id = command.redemption_external_id
    if external_id is None:
        assert command.redemption_id is not None
        return _holder_of_linked(command.redemption_id, view), command.redemption_id
    unknown = UnknownLinkedRedemption(f"There is no redemption with external_id {external_id!r}.")
    stream_id = holder_of("redemption.external_id", external_id, view, unknown)
    account: Account = view.state(stream_id)
    redemption = account.redemption_named(external_id)
    if redemption is None:
        raise unknown
    return stream_id, redemption.id


def _void(command: VoidTransaction, view: View, at: Circumstances) -> Decision:
    _, transaction = transaction_at(command.transaction_id, view)
    stream_id = None
    if transaction.profile_id is not None:
        stream_id = account_of(transaction.profile_id, view)
    account = Account() if stream_id is None else view.state(stream_id)
    sale = void_transaction(transaction, account, at, keep_redemption=command.keep_redemption)
    return _settled(sale, transaction, stream_id, view, at)


def _unattach(command: UnattachTransaction, view: View, at: Circumstances) -> Decision:
    of_transaction, transaction = transaction_at(command.transaction_id, view)
    of_account = account_of(command.profile_id, view)
    if transaction.profile_id is None or account_of(transaction.profile_id, view) != of_account:
        raise UnknownTransaction(
            f"There is no transaction {transaction.id} of profile {command.profile_id!r}."
        )
    sale = unattach_transaction(SaleEvents(transaction, view.state(of_account)), at)
    return Decision(of_transaction, sale.in_both_streams(of_transaction, of_account))


def _claim(command: ClaimTransaction, view: View, at: Circumstances) -> Decision:
    stream_id = of_profile(command, view)
    draft = Draft(view)
    claim_transaction(command, draft, stream_id, at)
    return draft.decision(stream_id)


def _holder_of_linked(redemption_id: int, view: View) -> str:
    unknown = UnknownLinkedRedemption(f"There is no redemption {redemption_id}.")
    return holder_of("redemption", redemption_id, view, unknown)


def _likely_transaction(
    command: LinkRedemption | VoidTransaction | ChangeTransaction | UnattachTransaction,
) -> str | None:
    number = command.transaction_id
    return None if number is None else transaction_stream(number)


def _receipts(command: RecordTransaction | UpsertTransaction) -> Iterator[str]:
    """Where a sale is filed, and where a return of goods looks for its sale."""
    for receipt_ref in (command.receipt_ref, command.linked_receipt_ref):
        if receipt_ref:
            yield receipt_stream(receipt_ref)


HANDLERS: Handlers = {
    RecordTransaction: Handler(_record, likely_profile, _receipts),
    UpsertTransaction: Handler(_upsert, likely_profile, _receipts),
    ChangeTransaction: Handler(_change, _likely_transaction),
    LinkRedemption: Handler(_link, _likely_transaction),
    VoidTransaction: Handler(_void, _likely_transaction),
    UnattachTransaction: Handler(_unattach, _likely_transaction),
    ClaimTransaction: Handler(_claim, likely_profile),
}
