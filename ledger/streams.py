"""Streams: what each is called, the state it folds to, and the event in an envelope."""

from collections.abc import Iterable

from ledger.account.folding import evolve, fold
from ledger.account.state import Account
from ledger.event_store.port import Payload
from ledger.programme.counters import COUNTER_PREFIX, IssueCounter, evolve_counter
from ledger.programme.state import PROGRAMME_STREAM, Programme, evolve_programme
from ledger.receipts.state import RECEIPT_PREFIX, Receipt, evolve_receipt
from ledger.transactions.state import TRANSACTION_PREFIX, Transaction, evolve_transaction
from schemas.envelope import Recorded
from schemas.events import Event, decode

State = Account | Programme | Transaction | IssueCounter | Receipt

_BEGINNINGS: tuple[tuple[str, type[Transaction | IssueCounter | Receipt]], ...] = (
    (TRANSACTION_PREFIX, Transaction),
    (COUNTER_PREFIX, IssueCounter),
    (RECEIPT_PREFIX, Receipt),
)

_NOBODY = Account()


def account_stream(profile_id: str) -> str:
    """The stream of a profile's account."""
    return f"account-{profile_id}"


def initial_state(stream_id: str) -> State:
    """The state of a stream without events."""
    if stream_id == PROGRAMME_STREAM:
        return Programme()
    for prefix, state in _BEGINNINGS:
        if stream_id.startswith(prefix):
            return state()
    return _NOBODY


def last_event_tells(stream_id: str) -> bool:
    """Whether the last event of a stream says all there is to its state."""
    return stream_id.startswith(COUNTER_PREFIX)


def evolve_state(state: State, event: Event) -> State:
    """The state of any stream after one more event."""
    match state:
        case Account():
            return evolve(state, event)
        case Transaction():
            return evolve_transaction(state, event)
        case Receipt():
            return evolve_receipt(state, event)
        case Programme():
            return evolve_programme(state, event)
        case IssueCounter():
            return evolve_counter(state, event)


def fold_state(state: State, events: Iterable[Event]) -> State:
    """The state of any stream after more events."""
    if isinstance(state, Account):
        return fold(events, state)
    for event in events:
        state = evolve_state(state, event)
    return state


def fold_recorded(state: State, history: Iterable[Recorded | Payload]) -> State:
    """The state of a stream after more of what the store holds of it."""
    return fold_state(state, map(event_of, history))


def fold_whole(stream_id: str, history: Iterable[Recorded]) -> State:
    """The state of a stream after all that the store holds of it, from its first event on."""
    return fold_recorded(initial_state(stream_id), history)


def event_of(recorded: Recorded | Payload) -> Event:
    """The event in its envelope."""
    return decode(recorded.type, recorded.schema_version, recorded.payload)
