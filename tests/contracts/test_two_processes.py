"""Two processes on one database, each with its own committer and cache."""

import asyncio
from datetime import UTC, datetime

from ledger.committer import Committer
from ledger.event_store.postgres import PostgresEventStore
from ledger.rejections import Rejection
from ledger.submission import Accepted, Submission
from schemas.redemptions import MakeRedemption
from schemas.reward_definitions import AddRewardDefinition
from schemas.rewards import IssueReward

NOW = datetime(2031, 1, 1, tzinfo=UTC)


async def test_200_redemptions_through_two_processes_spend_a_balance_good_for_one_once(
    database_url: str,
) -> None:
    stores = [await PostgresEventStore.connect(database_url) for _ in range(2)]
    committers = [Committer(store, clock=lambda: NOW) for store in stores]
    tasks = [asyncio.create_task(committer.run()) for committer in committers]
    define = AddRewardDefinition.model_validate(
        {"name": "B", "handle": "b", "value": "10", "type": "birthday", "period": "30"}
    )
    issue = IssueReward.model_validate({"profile_id": "p", "reward_definition_handle": "b"})
    redeem = MakeRedemption.model_validate({"profile_id": "p", "amount": "10"})
    for command in (define, issue):
        await committers[0].submit(Submission(command, "test", "test"))
    answers = await asyncio.gather(
        *(committers[n % 2].submit(Submission(redeem, "till", "till")) for n in range(200)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Accepted) for answer in answers) == 1
    assert sum(isinstance(answer, Rejection) for answer in answers) == 199
    for task in tasks:
        task.cancel()
    for store in stores:
        await store.close()
