"""Which streams a command needs and which decision answers it: the one table of the write side."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ledger.account.redemptions import make_redemption, return_redemption, reverse_redemption
from ledger.account.rewards import facts_due, issue_reward, revoke_reward
from ledger.account.state import Account, evolve
from ledger.decider import Circumstances
from ledger.event_store.port import Claim
from ledger.programme.reward_definitions import (
    PROGRAMME_STREAM,
    Programme,
    add_reward_definition,
    archive_reward_definition,
    change_reward_definition,
    evolve_programme,
)
from ledger.rejections import UnknownRedemption, UnknownReward
from schemas.commands import Command
from schemas.envelope import Recorded
from schemas.events import Event, decode
from schemas.redemptions import (
    MakeRedemption,
    RedemptionMade,
    RedemptionReturned,
    RedemptionReversed,
    ReturnRedemption,
    ReverseRedemption,
)
from schemas.reward_definitions import (
    AddRewardDefinition,
    ArchiveRewardDefinition,
    ChangeRewardDefinition,
)
from schemas.rewards import IssueReward, RecordDueFacts, RevokeReward, RewardIssued

Decide = Callable[[Any, Any, Programme, Circumstances], tuple[Event, ...]]


@dataclass(frozen=True, slots=True)
class Reference:
    """A name whose stream only the store knows: reward 17 stands on somebody's account."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Handler:
    """How one command is answered: the stream it writes to, and the decision."""

    target: Callable[[Any], str | Reference]
    decide: Decide
    missing: Callable[[Any], Exception] | None = None


def account_stream(profile_id: str) -> str:
    """The stream of a profile's account."""
    return f"account-{profile_id}"


def initial_state(stream_id: str) -> Account | Programme:
    """The state of a stream without events."""
    return Programme() if stream_id == PROGRAMME_STREAM else Account()


def evolve_state(state: Account | Programme, event: Event) -> Account | Programme:
    """The state of any stream after one more event."""
    if isinstance(state, Programme):
        return evolve_programme(state, event)
    return evolve(state, event)


def fold_recorded(stream_id: str, history: Iterable[Recorded]) -> Account | Programme:
    """The state of a stream after what the store holds of it, from its first event on."""
    return reduce(evolve_state, map(event_of, history), initial_state(stream_id))


def event_of(recorded: Recorded) -> Event:
    """The event in its envelope."""
    return decode(recorded.type, recorded.schema_version, recorded.payload)


def claims_of(event: Event, stream_id: str, fingerprint: bytes | None) -> tuple[Claim, ...]:
    """The names an event takes, across all streams, for ever."""
    match event:
        case RewardIssued():
            return _named("reward", event.reward_id, event.external_id, stream_id, fingerprint)
        case RedemptionMade():
            return _named(
                "redemption", event.redemption_id, event.external_id, stream_id, fingerprint
            )
        case RedemptionReversed():
            return (Claim("redemption", str(event.reversal_id), stream_id),)
        case RedemptionReturned():
            return (Claim("redemption", str(event.return_id), stream_id),)
    return ()


def _named(
    kind: str, number: int, external_id: str | None, stream_id: str, fingerprint: bytes | None
) -> tuple[Claim, ...]:
    by_number = Claim(kind, str(number), stream_id)
    if external_id is None:
        return (by_number,)
    return by_number, Claim(f"{kind}.external_id", external_id, stream_id, fingerprint)


def _of_profile(command: Any) -> str:
    return account_stream(command.profile_id)


def _programme(_: Any) -> str:
    return PROGRAMME_STREAM


def _by_redemption(command: Any) -> Reference:
    return Reference("redemption", str(command.redemption_id))


def _no_redemption(command: Any) -> Exception:
    return UnknownRedemption(f"There is no redemption {command.redemption_id}.")


HANDLERS: Mapping[type[Command], Handler] = {
    AddRewardDefinition: Handler(_programme, lambda c, s, _, at: add_reward_definition(c, s, at)),
    ChangeRewardDefinition: Handler(
        _programme, lambda c, s, _, at: change_reward_definition(c, s, at)
    ),
    ArchiveRewardDefinition: Handler(
        _programme, lambda c, s, _, __: archive_reward_definition(c, s)
    ),
    IssueReward: Handler(_of_profile, issue_reward),
    RevokeReward: Handler(
        lambda c: Reference("reward", str(c.reward_id)),
        lambda c, s, _, at: revoke_reward(c, s, at),
        missing=lambda c: UnknownReward(f"There is no reward {c.reward_id}."),
    ),
    RecordDueFacts: Handler(_of_profile, lambda _, s, __, at: facts_due(s, at.now)),
    MakeRedemption: Handler(_of_profile, lambda c, s, _, at: make_redemption(c, s, at)),
    ReverseRedemption: Handler(
        _by_redemption, lambda c, s, _, at: reverse_redemption(c, s, at), missing=_no_redemption
    ),
    ReturnRedemption: Handler(
        _by_redemption, lambda c, s, _, at: return_redemption(c, s, at), missing=_no_redemption
    ),
}
