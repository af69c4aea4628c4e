"""Which decision answers a command, on which streams: the one table of the write side."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ledger.account.redemptions import make_redemption, return_redemption, reverse_redemption
from ledger.account.rewards import facts_due, issue_reward, revoke_reward
from ledger.account.state import Account, evolve, fold
from ledger.announcements import announcement, refuse_announcement
from ledger.decider import Circumstances, Decision, View
from ledger.programme.reward_definitions import (
    PROGRAMME_STREAM,
    Programme,
    add_reward_definition,
    archive_reward_definition,
    change_reward_definition,
    evolve_programme,
)
from ledger.rejections import (
    RedemptionOfAnotherProfile,
    Rejection,
    UnknownLinkedRedemption,
    UnknownRedemption,
    UnknownReward,
    UnknownTransaction,
)
from ledger.transactions.decisions import (
    SaleEvents,
    link_announced,
    link_redemption,
    record_transaction,
    void_transaction,
)
from ledger.transactions.state import (
    TRANSACTION_PREFIX,
    Transaction,
    evolve_transaction,
    transaction_stream,
)
from schemas.commands import Command
from schemas.envelope import Recorded
from schemas.events import Event, decode
from schemas.redemptions import (
    MakeRedemption,
    RedemptionMade,
    ReturnRedemption,
    ReverseRedemption,
)
from schemas.reward_definitions import (
    AddRewardDefinition,
    ArchiveRewardDefinition,
    ChangeRewardDefinition,
)
from schemas.rewards import IssueReward, RecordDueFacts, RevokeReward
from schemas.transactions import LinkRedemption, RecordTransaction, VoidTransaction

State = Account | Programme | Transaction


@dataclass(frozen=True, slots=True)
class Handler:
    """How one command is answered. `likely` names streams worth loading before deciding."""

    decide: Callable[[Any, View, Circumstances], Decision]
    likely: Callable[[Any], str | None] = lambda _: None


def account_stream(profile_id: str) -> str:
    """The stream of a profile's account."""
    return f"account-{profile_id}"


def initial_state(stream_id: str) -> State:
    """The state of a stream without events."""
    if stream_id == PROGRAMME_STREAM:
        return Programme()
    return Transaction() if stream_id.startswith(TRANSACTION_PREFIX) else Account()


def evolve_state(state: State, event: Event) -> State:
    """The state of any stream after one more event."""
    match state:
        case Account():
            return evolve(state, event)
        case Transaction():
            return evolve_transaction(state, event)
        case Programme():
            return evolve_programme(state, event)


def fold_recorded(stream_id: str, history: Iterable[Recorded]) -> State:
    """The state of a stream after what the store holds of it, from its first event on."""
    return reduce(evolve_state, map(event_of, history), initial_state(stream_id))


def event_of(recorded: Recorded) -> Event:
    """The event in its envelope."""
    return decode(recorded.type, recorded.schema_version, recorded.payload)


def _on_programme(
    decide: Callable[[Any, Programme, Circumstances], tuple[Event, ...]],
) -> Handler:
    def decide_on_programme(command: Any, view: View, at: Circumstances) -> Decision:
        return _decision(PROGRAMME_STREAM, decide(command, view.state(PROGRAMME_STREAM), at))

    return Handler(decide_on_programme)


def _on_account(
    stream: Callable[[Any, View], str],
    decide: Callable[[Any, Account, Programme, Circumstances], tuple[Event, ...]],
    likely: Callable[[Any], str | None] = lambda _: None,
) -> Handler:
    def decide_on_account(command: Any, view: View, at: Circumstances) -> Decision:
        stream_id = stream(command, view)
        programme = view.state(PROGRAMME_STREAM)
        return _decision(stream_id, decide(command, view.state(stream_id), programme, at))

    return Handler(decide_on_account, likely)


def _decision(stream_id: str, events: Iterable[Event]) -> Decision:
    return Decision(stream_id, tuple((stream_id, event) for event in events))


def _of_profile(command: Any, _: View) -> str:
    return account_stream(command.profile_id)


def _likely_profile(command: Any) -> str | None:
    return None if command.profile_id is None else account_stream(command.profile_id)


def _of_reward(command: RevokeReward, view: View) -> str:
    unknown = UnknownReward(f"There is no reward {command.reward_id}.")
    return _holder("reward", command.reward_id, view, unknown)


def _of_redemption(command: ReverseRedemption | ReturnRedemption, view: View) -> str:
    unknown = UnknownRedemption(f"There is no redemption {command.redemption_id}.")
    return _holder("redemption", command.redemption_id, view, unknown)


def _holder(kind: str, number: int, view: View, unknown: Rejection) -> str:
    stream_id = view.stream_named(kind, str(number))
    if stream_id is None:
        raise unknown
    return stream_id


# ── Redemptions and transactions: two streams in one append ──────────────────────────────────────


def _redeem(command: MakeRedemption, view: View, at: Circumstances) -> Decision:
    stream_id = account_stream(command.profile_id)
    account: Account = view.state(stream_id)
    announced = command.transaction_external_id
    sale_stream = None
    if announced is not None:
        standing = announcement(announced, view)
        sale_stream = view.stream_named("transaction.external_id", announced)
        if sale_stream is None:
            refuse_announcement(announced, standing, stream_id)
    events = make_redemption(command, account, at)
    if sale_stream is None:
        return _decision(stream_id, events)
    after = fold(events, account)
    made = next(event for event in events if isinstance(event, RedemptionMade))
    linked = link_announced(after.redemptions[made.redemption_id], view.state(sale_stream), after)
    return Decision(
        stream_id,
        (
            *((stream_id, event) for event in events),
            *_in_both_streams(linked, sale_stream, stream_id),
        ),
    )


def _record(command: RecordTransaction, view: View, at: Circumstances) -> Decision:
    stream_id = _account_of_sale(command, view)
    account: Account = Account() if stream_id is None else view.state(stream_id)
    profile_id = command.profile_id or account.profile_id
    sale = record_transaction(command, profile_id, account, at)
    assert sale.transaction.id is not None
    of_transaction = transaction_stream(sale.transaction.id)
    return Decision(of_transaction, _in_both_streams(sale, of_transaction, stream_id))


def _account_of_sale(command: RecordTransaction, view: View) -> str | None:
    """The account a sale belongs to: its profile's, its redemption's, or the announcer's."""
    of_profile = None if command.profile_id is None else account_stream(command.profile_id)
    of_redemption = None
    if command.redemption_id is not None:
        of_redemption = _holder(
            "redemption",
            command.redemption_id,
            view,
            UnknownLinkedRedemption(f"There is no redemption {command.redemption_id}."),
        )
    announcer = None
    if command.external_id is not None and command.total >= 0:
        announcer = announcement(command.external_id, view).waiting
    found = {stream for stream in (of_profile, of_redemption, announcer) if stream is not None}
    if len(found) > 1:
        raise RedemptionOfAnotherProfile(
            "The transaction's profile and the profile of its redemption are not the same."
        )
    return found.pop() if found else None


def _link(command: LinkRedemption, view: View, at: Circumstances) -> Decision:
    of_transaction, transaction = _transaction(command.transaction_id, view)
    unknown = UnknownLinkedRedemption(f"There is no redemption {command.redemption_id}.")
    stream_id = _holder("redemption", command.redemption_id, view, unknown)
    sale = link_redemption(command.redemption_id, transaction, view.state(stream_id), at)
    return Decision(of_transaction, _in_both_streams(sale, of_transaction, stream_id))


def _void(command: VoidTransaction, view: View, at: Circumstances) -> Decision:
    of_transaction, transaction = _transaction(command.transaction_id, view)
    stream_id = None
    if transaction.profile_id is not None:
        stream_id = account_stream(transaction.profile_id)
    account = Account() if stream_id is None else view.state(stream_id)
    sale = void_transaction(transaction, account, at, keep_redemption=command.keep_redemption)
    return Decision(of_transaction, _in_both_streams(sale, of_transaction, stream_id))


def _transaction(transaction_id: int, view: View) -> tuple[str, Transaction]:
    stream_id = transaction_stream(transaction_id)
    transaction: Transaction = view.state(stream_id)
    if transaction.id is None:
        raise UnknownTransaction(f"There is no transaction {transaction_id}.")
    return stream_id, transaction


def _in_both_streams(
    sale: SaleEvents, of_transaction: str, of_account: str | None
) -> tuple[tuple[str, Event], ...]:
    assert of_account is not None or not sale.of_account
    return (
        *((of_transaction, event) for event in sale.of_transaction),
        *((of_account or "", event) for event in sale.of_account),
    )


HANDLERS: Mapping[type[Command], Handler] = {
    AddRewardDefinition: _on_programme(add_reward_definition),
    ChangeRewardDefinition: _on_programme(change_reward_definition),
    ArchiveRewardDefinition: _on_programme(lambda c, s, _: archive_reward_definition(c, s)),
    IssueReward: _on_account(_of_profile, issue_reward, _likely_profile),
    RevokeReward: _on_account(_of_reward, lambda c, s, _, at: revoke_reward(c, s, at)),
    RecordDueFacts: _on_account(
        _of_profile, lambda _, s, __, at: facts_due(s, at.now), _likely_profile
    ),
    MakeRedemption: Handler(_redeem, _likely_profile),
    ReverseRedemption: _on_account(
        _of_redemption, lambda c, s, _, at: reverse_redemption(c, s, at)
    ),
    ReturnRedemption: _on_account(_of_redemption, lambda c, s, _, at: return_redemption(c, s, at)),
    RecordTransaction: Handler(_record, _likely_profile),
    LinkRedemption: Handler(_link, lambda c: transaction_stream(c.transaction_id)),
    VoidTransaction: Handler(_void, lambda c: transaction_stream(c.transaction_id)),
}
