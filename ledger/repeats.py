"""The same request again: under its Idempotency-Key, or under its external_id."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from ledger.account.state import Account
from ledger.event_store.port import Claim, CommandRecord
from ledger.rejections import ExternalIdTaken, IdempotencyKeyReused, Rejection
from ledger.streams import event_of, fold_recorded, initial_state
from ledger.submission import Accepted, AlreadyThere, Answer, Submission
from schemas.commands import Command
from schemas.envelope import Recorded
from schemas.json_text import read_json, write_json
from schemas.redemptions import MakeRedemption
from schemas.rewards import IssueReward
from schemas.transactions import RecordTransaction

EXTERNAL_ID_KINDS: dict[type[Command], str] = {
    IssueReward: "reward.external_id",
    MakeRedemption: "redemption.external_id",
    RecordTransaction: "transaction.external_id",
}


class RecordedRefusal(Rejection):
    """A refusal read back from its idempotency record: the first answer again."""

    code = "recorded"

    def __init__(self, outcome: dict[str, Any]) -> None:
        super().__init__(outcome["detail"], **outcome["facts"])
        self.__dict__.update({name: outcome[name] for name in ("code", "status", "field")})


def outcome_bytes(answer: Answer | BaseException) -> bytes:
    """What the idempotency record keeps: never the answer's text, only what it is rebuilt from."""
    if isinstance(answer, Rejection):
        refused = {
            "code": answer.code,
            "status": answer.status,
            "detail": answer.detail,
            "facts": answer.facts,
            "field": answer.field,
        }
        return write_json(refused)  # amounts among its facts are exact
    assert isinstance(answer, Accepted | AlreadyThere)
    kept: dict[str, Any] = {"stream": answer.stream_id}
    if isinstance(answer, AlreadyThere):
        kept |= {"external_id": answer.external_id, "at": answer.at}
    elif not answer.written:
        kept["at"] = answer.at
    return orjson.dumps(kept)


def external_name(submission: Submission) -> tuple[str, str] | None:
    """The sender's own name for what the command creates, as a claim's (kind, key)."""
    kind = EXTERNAL_ID_KINDS.get(type(submission.command))
    external_id = getattr(submission.command, "external_id", None)
    return None if kind is None or external_id is None else (kind, external_id)


def answer_to_repeat(
    submission: Submission, standing: Claim, state: Any, now: datetime
) -> AlreadyThere:
    """The object as it is now, when it is the same request; otherwise the name is taken.

    Raises:
        ExternalIdTaken: another request has this external_id, or what it made is undone.
    """
    if standing.fingerprint != submission.fingerprint:
        raise ExternalIdTaken(f"external_id {standing.key!r} was used by another request.")
    if _undone(standing, state, now):
        raise ExternalIdTaken(
            f"The redemption {standing.key!r} has been given back or released since."
        )
    return AlreadyThere(standing.stream_id, standing.kind, standing.key, state, now)


def stream_of(record: CommandRecord) -> str | None:
    """The stream an accepted command's answer is rebuilt from; a refusal needs none."""
    stream_id: str | None = orjson.loads(record.outcome).get("stream")
    return stream_id


class States:
    """Streams as they were, asked in the order of the log: each event is folded once."""

    def __init__(self, histories: Mapping[str, Sequence[Recorded]]) -> None:
        self._left = {stream_id: deque(history) for stream_id, history in histories.items()}
        self._states = {stream_id: initial_state(stream_id) for stream_id in histories}

    def at(self, stream_id: str, position: int) -> Any:
        """The state of a stream after the event at a position."""
        left = self._left[stream_id]
        due = []
        while left and left[0].position <= position:
            due.append(left.popleft())
        if due:
            self._states[stream_id] = fold_recorded(self._states[stream_id], due)
        return self._states[stream_id]


def replayed(
    submission: Submission, record: CommandRecord, written: Sequence[Recorded], states: States
) -> Answer | Rejection:
    """The first answer again, rebuilt from the events it wrote and its stream as it was then."""
    if record.fingerprint != submission.fingerprint:
        return IdempotencyKeyReused(
            "This Idempotency-Key was used for another request; choose a new key."
        )
    outcome = read_json(record.outcome)
    if "code" in outcome:
        return RecordedRefusal(outcome)
    stream_id = outcome["stream"]
    position = written[-1].position if written else record.first_position
    at = written[-1].occurred_at if written else datetime.fromisoformat(outcome["at"])
    state = states.at(stream_id, position)
    if "external_id" in outcome:
        name = external_name(submission)
        assert name is not None
        return AlreadyThere(stream_id, *name, state, at, position, replayed=True)
    return Accepted(
        stream_id,
        tuple((recorded.stream_id, event_of(recorded)) for recorded in written),
        {stream_id: state},
        at,
        position=position,
        replayed=True,
    )


def _undone(standing: Claim, state: Any, now: datetime) -> bool:
    """Whether the redemption under this external_id is reversed, returned in full, or let go."""
    if standing.kind != EXTERNAL_ID_KINDS[MakeRedemption] or not isinstance(state, Account):
        return False
    redemption = state.redemption_named(standing.key)
    return redemption is not None and not redemption.in_use(now)
