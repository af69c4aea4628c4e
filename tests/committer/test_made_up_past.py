"""A past that is made up: each command is decided as of its own moment, by the rules of then."""

from datetime import timedelta

import pytest
from committer.processes import NOW, FaultyStore, Process, defined, redeem, reward

from ledger.rejections import InsufficientBalance
from schemas.rewards import RecordDueFacts


def ago(days: int) -> dict[str, object]:
    return {"as_of": NOW - timedelta(days=days)}


async def test_one_group_holds_commands_of_many_moments(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    await process.send(reward(), **ago(365))
    before = await store.head()
    for task in [process.soon(redeem("1"), **ago(days)) for days in (360, 350, 345)]:
        await task
    written = await store.read_log(after_position=before, limit=10)
    assert [(NOW - each.occurred_at).days for each in written] == [360, 350, 345]


async def test_it_is_no_fact_of_elsewhere_that_may_come_late(process: Process) -> None:
    """What is recorded as expired stays so, however shortly ago; a late fact could still use it."""
    await defined(process)
    await process.send(reward(), **ago(32))
    await process.send(RecordDueFacts(profile_id="p"))
    with pytest.raises(InsufficientBalance):
        await process.send(redeem("1"), **ago(3))
    await process.accepted(redeem("1"), occurred_at=NOW - timedelta(days=3))
