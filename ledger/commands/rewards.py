"""Commands about rewards."""

from ledger.account.reward_changes import adjust_reward, extend_rewards
from ledger.account.rewards import facts_due, issue_reward, revoke_reward
from ledger.account.state import Account
from ledger.addressing import holder_of
from ledger.commands.handler import Handlers, likely_profile, of_profile, on_account
from ledger.decider import Circumstances, View
from ledger.programme.state import Programme
from ledger.rejections import UnknownReward
from schemas.events import Event
from schemas.rewards import AdjustReward, ExtendRewards, IssueReward, RecordDueFacts, RevokeReward


def _of_reward(command: RevokeReward | AdjustReward, view: View) -> str:
    unknown = UnknownReward(f"There is no reward {command.reward_id}.")
    return holder_of("reward", command.reward_id, view, unknown)


def _record_due_facts(
    _: RecordDueFacts, account: Account, __: Programme, at: Circumstances
) -> tuple[Event, ...]:
    return facts_due(account, at.now)


HANDLERS: Handlers = {
    IssueReward: on_account(of_profile, issue_reward, likely_profile),
    RevokeReward: on_account(_of_reward, lambda c, s, _, at: revoke_reward(c, s, at)),
    AdjustReward: on_account(_of_reward, lambda c, s, _, at: adjust_reward(c, s, at)),
    ExtendRewards: on_account(
        of_profile, lambda c, s, _, at: extend_rewards(c, s, at), likely_profile
    ),
    RecordDueFacts: on_account(
        of_profile, lambda _, s, __, at: facts_due(s, at.now), likely_profile
    ),
}
