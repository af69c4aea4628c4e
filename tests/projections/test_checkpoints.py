"""The checkpoint alone fences a runner that was only asleep."""

import pytest

from consumers.projector_checkpoints import Checkpoints, DeadLetter, Fenced, Move, log_incarnation
from projections.applying import apply
from projections.read_models import balances
from tests.projections.conftest import ReadSide
from tests.projections.histories import Chance


async def _checkpoints(read_side: ReadSide) -> Checkpoints:
    return Checkpoints(balances.PROJECTION, "t", await log_incarnation(read_side.pool))


async def test_the_zombie_rolls_back(read_side: ReadSide) -> None:
    await read_side.writer.append_all(Chance(1).history(20))
    log = await read_side.log()
    checkpoints = await _checkpoints(read_side)
    assert await checkpoints.load(read_side.pool, [0, 1]) == {0: 0, 1: 0}
    async with read_side.pool.acquire() as connection, connection.transaction():
        await checkpoints.move(connection, [Move(0, 0, 10), Move(1, 0, 5)], 1)
        await apply(connection, balances.PROJECTION, log[:10])
    rows = await read_side.rows(balances.PROJECTION)

    async def sleepwalk() -> None:
        async with read_side.pool.acquire() as connection, connection.transaction():
            await apply(connection, balances.PROJECTION, log)
            await checkpoints.move(connection, [Move(1, 5, 6), Move(0, 0, 20)], 1)

    with pytest.raises(Fenced):
        await sleepwalk()
    assert await read_side.rows(balances.PROJECTION) == rows
    assert await checkpoints.load(read_side.pool, [0, 1]) == {0: 10, 1: 5}


async def test_another_log_moves_nothing(read_side: ReadSide) -> None:
    checkpoints = await _checkpoints(read_side)
    await checkpoints.load(read_side.pool, [0])
    await read_side.pool.execute("ALTER TABLE ledger.log DISABLE TRIGGER ALL")
    await read_side.pool.execute("UPDATE ledger.log SET incarnation = gen_random_uuid()")
    with pytest.raises(Fenced):
        async with read_side.pool.acquire() as connection, connection.transaction():
            await checkpoints.move(connection, [Move(0, 0, 10)], 1)


async def test_a_dead_letter_is_noted_once(read_side: ReadSide) -> None:
    checkpoints = await _checkpoints(read_side)
    for _ in range(2):
        await checkpoints.bury(read_side.pool, [DeadLetter(0, 7, "no\x00t ours")])
    (row,) = await read_side.pool.fetch("SELECT * FROM projections.dead_letters")
    assert tuple(row)[:4] == ("t", 0, 7, "not ours")
