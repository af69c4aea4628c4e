"""Commands about rewards."""

from ledger.account.issuing import issue_reward
from ledger.account.reassignment import reassign_reward
from ledger.account.reward_changes import adjust_reward, extend_rewards
from ledger.account.rewards import facts_due, revoke_reward
from ledger.account.state import Account
from ledger.addressing import account_of, holder_of
from ledger.commands.handler import (
    Handler,
    Handlers,
    likely_profile,
    of_profile,
    on_account,
    on_one,
    on_two,
)
from ledger.decider import Circumstances, Decision, View
from ledger.programme.counters import IssueCounter, counter_stream
from ledger.programme.reward_definitions import assignable
from ledger.programme.state import PROGRAMME_STREAM, Programme
from ledger.rejections import UnknownReward
from schemas.events import Event
from schemas.reward_definitions import DefinitionIssueCounted
from schemas.rewards import (
    AdjustReward,
    ExtendRewards,
    IssueReward,
    ReassignReward,
    RecordDueFacts,
    RevokeReward,
    RewardIssued,
)


def _of_reward(command: RevokeReward | AdjustReward | ReassignReward, view: View) -> str:
    unknown = UnknownReward(f"There is no reward {command.reward_id}.")
    return holder_of("reward", command.reward_id, view, unknown)


def _issue(command: IssueReward, view: View, at: Circumstances) -> Decision:
    """Under a definition that limits all its rewards, the one issued is counted with them."""
    stream_id = of_profile(command, view)
    programme: Programme = view.state(PROGRAMME_STREAM)
    definition = assignable(
        command.reward_definition_id, command.reward_definition_handle, programme
    )
    counts = counter_stream(definition.definition_id)
    counter = IssueCounter() if definition.max_total is None else view.state(counts)
    events = issue_reward(command, view.state(stream_id), definition, counter, at)
    decision = on_one(stream_id, events)
    if definition.max_total is None:
        return decision
    issued = next(event for event in events if isinstance(event, RewardIssued))
    counted = DefinitionIssueCounted(
        definition_id=definition.definition_id,
        reward_id=issued.reward_id,
        number=counter.count + 1,
    )
    return Decision(stream_id, (*decision.written, (counts, counted)))


def _record_due_facts(
    _: RecordDueFacts, account: Account, __: Programme, at: Circumstances
) -> tuple[Event, ...]:
    return facts_due(account, at.now)


def _reassign(command: ReassignReward, view: View, at: Circumstances) -> Decision:
    giver, taker = _of_reward(command, view), account_of(command.profile_id, view)
    both = reassign_reward(command, view.state(giver), view.state(taker), at)
    return on_two(giver, taker, both)


HANDLERS: Handlers = {
    IssueReward: Handler(_issue, likely_profile),
    RevokeReward: on_account(_of_reward, lambda c, s, _, at: revoke_reward(c, s, at)),
    AdjustReward: on_account(_of_reward, lambda c, s, _, at: adjust_reward(c, s, at)),
    ExtendRewards: on_account(
        of_profile, lambda c, s, _, at: extend_rewards(c, s, at), likely_profile
    ),
    ReassignReward: Handler(_reassign, likely_profile),
    RecordDueFacts: on_account(
        of_profile, lambda _, s, __, at: facts_due(s, at.now), likely_profile
    ),
}
