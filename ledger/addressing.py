"""Which stream a command is about: the account of a profile, or whoever holds a number.

Every handler asks here, so that a number or a profile is found in one way.
"""

from typing import Any

from ledger.account.state import Account
from ledger.decider import View
from ledger.rejections import Rejection, UnknownNamedProfile, UnknownTransaction
from ledger.streams import account_stream
from ledger.transactions.state import Transaction, transaction_stream

STEPS_MAX = 1_000
"""Longer than any chain of merges: one that leads nowhere must not hold up everybody else."""


def account_of(profile_id: str, view: View) -> str:
    """The stream of the account a profile's commands go to: of whom it has become, if anybody."""
    return holder_now(account_stream(profile_id), view)


def to_whom_it_is_now(command: Any, view: View) -> Any:
    """The command, for the profile that the one it names has become.

    Raises:
        UnknownNamedProfile: it names its profile by an identity, and nobody has that one.
    """
    if getattr(command, "profile_id_handle", None) is not None:
        raise UnknownNamedProfile("No profile is known by this, or more than one.", "profile_id")
    profile_id = getattr(command, "profile_id", None)
    if profile_id is None:
        return command
    account: Account = view.state(account_of(profile_id, view))
    if account.profile_id in (None, profile_id):
        return command
    return command.model_copy(update={"profile_id": account.profile_id})


def holder_of(kind: str, name: int | str, view: View, unknown: Rejection) -> str:
    """The stream that holds reward or redemption so-and-so, or a sender's own name of one,
    wherever it has gone.

    Raises:
        Rejection: nobody does; `unknown` says so.
    """
    stream_id = view.stream_named(kind, str(name))
    if stream_id is None:
        raise unknown
    return holder_now(stream_id, view, reward_id=int(name) if kind == "reward" else None)


def holder_now(stream_id: str, view: View, *, reward_id: int | None = None) -> str:
    """Where that which was a stream's is now: a name stands for ever with its first stream.

    A merge is final and a reward knows how often it has moved, so every step leads on.
    """
    for _ in range(STEPS_MAX):
        account = view.state(stream_id)
        if not isinstance(account, Account):
            return stream_id
        next_one = account.merged_into
        if next_one is None and reward_id is not None and reward_id in account.lots:
            next_one = account.lots[reward_id].moved_to
        if next_one is None:
            return stream_id
        stream_id = account_stream(next_one)
    raise AssertionError(f"{stream_id} is one of a circle")


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
