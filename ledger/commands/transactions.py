"""Commands about transactions: two streams in one append, the sale's and the profile's account."""

from ledger.account.state import Account
from ledger.addressing import account_of, holder_of, transaction_at
from ledger.announcements import announcement
from ledger.commands.handler import Handler, Handlers, likely_profile
from ledger.decider import Circumstances, Decision, View
from ledger.rejections import (
    RedemptionOfAnotherProfile,
    UnknownLinkedRedemption,
    UnknownTransaction,
)
from ledger.transactions.decisions import link_redemption, record_transaction, void_transaction
from ledger.transactions.state import transaction_stream
from schemas.transactions import LinkRedemption, RecordTransaction, VoidTransaction


def _record(command: RecordTransaction, view: View, at: Circumstances) -> Decision:
    stream_id = _account_of_sale(command, view, at)
    account: Account = Account() if stream_id is None else view.state(stream_id)
    profile_id = command.profile_id or account.profile_id
    sale = record_transaction(command, profile_id, account, at)
    assert sale.transaction.id is not None
    of_transaction = transaction_stream(sale.transaction.id)
    return Decision(of_transaction, sale.in_both_streams(of_transaction, stream_id))


def _account_of_sale(command: RecordTransaction, view: View, at: Circumstances) -> str | None:
    """The account a sale belongs to: its profile's, its redemption's, or the announcer's."""
    of_profile = None if command.profile_id is None else account_of(command.profile_id, view)
    of_redemption = None
    if command.redemption_id is not None:
        of_redemption = _holder_of_linked(command.redemption_id, view)
    announcer = None
    if command.external_id is not None and command.total >= 0:
        announcer = announcement(command.external_id, view, at.now).waiting
    found = {stream for stream in (of_profile, of_redemption, announcer) if stream is not None}
    if len(found) > 1:
        raise RedemptionOfAnotherProfile(
            "The transaction's profile and the profile of its redemption are not the same."
        )
    return found.pop() if found else None


def _link(command: LinkRedemption, view: View, at: Circumstances) -> Decision:
    transaction_id = _linked_transaction(command, view)
    of_transaction, transaction = transaction_at(transaction_id, view)
    stream_id, redemption_id = _linked_redemption(command, view)
    sale = link_redemption(redemption_id, transaction, view.state(stream_id), at)
    return Decision(of_transaction, sale.in_both_streams(of_transaction, stream_id))


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
    of_transaction, transaction = transaction_at(command.transaction_id, view)
    stream_id = None
    if transaction.profile_id is not None:
        stream_id = account_of(transaction.profile_id, view)
    account = Account() if stream_id is None else view.state(stream_id)
    sale = void_transaction(transaction, account, at, keep_redemption=command.keep_redemption)
    return Decision(of_transaction, sale.in_both_streams(of_transaction, stream_id))


def _holder_of_linked(redemption_id: int, view: View) -> str:
    unknown = UnknownLinkedRedemption(f"There is no redemption {redemption_id}.")
    return holder_of("redemption", redemption_id, view, unknown)


def _likely_transaction(command: LinkRedemption | VoidTransaction) -> str | None:
    number = command.transaction_id
    return None if number is None else transaction_stream(number)


HANDLERS: Handlers = {
    RecordTransaction: Handler(_record, likely_profile),
    LinkRedemption: Handler(_link, _likely_transaction),
    VoidTransaction: Handler(_void, _likely_transaction),
}
