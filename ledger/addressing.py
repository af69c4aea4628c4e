"""Which stream a command is about: the account of a profile, or whoever holds a number.

Every handler asks here, so that a number or a profile is found in one way.
"""

from ledger.decider import View
from ledger.rejections import Rejection, UnknownTransaction
from ledger.streams import account_stream
from ledger.transactions.state import Transaction, transaction_stream


def account_of(profile_id: str, _: View) -> str:
    """The stream of the account a profile's commands go to."""
    return account_stream(profile_id)


def holder_of(kind: str, name: int | str, view: View, unknown: Rejection) -> str:
    """The stream that holds reward or redemption so-and-so, or a sender's own name of one.

    Raises:
        Rejection: nobody does; `unknown` says so.
    """
    stream_id = view.stream_named(kind, str(name))
    if stream_id is None:
        raise unknown
    return stream_id


def transaction_at(transaction_id: int, view: View) -> tuple[str, Transaction]:
    """A transaction that is there, and its stream.

    Raises:
        UnknownTransaction: there is none.
    """
    stream_id = transaction_stream(transaction_id)
    transaction: Transaction = view.state(stream_id)
    if transaction.id is None:
        raise UnknownTransaction(f"There is no transaction {transaction_id}.")
    return stream_id, transaction
