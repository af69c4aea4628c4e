"""A change of the programme's settings holds for every command decided after it, in any process."""

from committer.processes import Process, defined, redeem

from ledger.submission import Accepted, Answer
from schemas.programme import ChangeProgrammeSettings
from schemas.redemptions import RedemptionMade

INSTANT = ChangeProgrammeSettings(reversal_window_seconds=0)


def window(answer: Answer) -> float:
    """How long the redemption can be reversed, in seconds."""
    assert isinstance(answer, Accepted)
    made = next(event for event in answer.events if isinstance(event, RedemptionMade))
    return (made.reversible_until - answer.at).total_seconds()


async def test_in_one_group_it_holds_for_those_behind_it(process: Process) -> None:
    await defined(process)
    await process.issued()
    tasks = [process.soon(each) for each in (redeem("1"), INSTANT, redeem("2"))]
    before, changed, after = [await task for task in tasks]
    assert (window(before), window(after)) == (600, 0)
    assert isinstance(changed, Accepted)
    assert changed.settings is not None
    assert (changed.settings.version, after.settings.version) == (1, 1)


async def test_another_process_decides_by_it_at_once(
    process: Process, other_process: Process
) -> None:
    await defined(process)
    await process.issued()
    assert window(await other_process.send(redeem("1"))) == 600
    await process.send(INSTANT)
    assert window(await other_process.send(redeem("2"))) == 0


async def test_a_dry_run_of_a_change_changes_nothing(process: Process) -> None:
    await defined(process)
    await process.issued()
    tried = await process.accepted(INSTANT, dry_run=True)
    assert tried.settings is not None
    assert tried.settings.version == 1
    assert window(await process.send(redeem("1"))) == 600
