"""Where made-up data may go, on a real database."""

from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from app.demo.data import Asked, NoDemoData, SoFar, fill
from app.importing import import_ledger
from app.settings import Settings
from consumers.published_position import PostgresPublishedPosition
from ledger.submission import Submission
from schemas.reward_definitions import AddRewardDefinition

SOME = Asked(profiles=3, seed=1, own=True)


class Interrupted(Exception):
    """Somebody has pressed Ctrl-C."""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=SecretStr(database_url), data_dir=tmp_path)


async def events(settings: Settings) -> int:
    assert settings.database_url is not None
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        return int(await connection.fetchval("SELECT count(*) FROM ledger.events"))
    finally:
        await connection.close()


async def define(settings: Settings, handle: str) -> None:
    """Somebody uses the ledger."""
    command = AddRewardDefinition(name="B", handle=handle, value="1", type="b", period=1)
    async with import_ledger(settings) as ledger:
        await ledger.lanes[0].submit(Submission(command, "till", "till"))


def hear(_: SoFar) -> None:
    """Nobody looks."""


def interrupt(so_far: SoFar) -> None:
    if so_far.passed.days > 100:
        raise Interrupted


async def test_an_empty_ledger_is_filled_whoever_named_it(settings: Settings) -> None:
    tally = await fill(settings, Asked(profiles=3, seed=1, own=False), hear)
    assert tally.steps > 30
    assert await events(settings) > 30


async def test_a_named_ledger_in_use_is_left_alone(settings: Settings) -> None:
    await define(settings, "somebodys")
    with pytest.raises(NoDemoData, match="in use"):
        await fill(settings, Asked(profiles=3, seed=1, own=False), hear)
    assert await events(settings) == 1


async def test_ones_own_ledger_may_have_been_used_before(settings: Settings) -> None:
    await define(settings, "somebodys")
    await fill(settings, SOME, hear)
    assert await events(settings) > 30


async def test_another_programme_under_the_same_handles_is_refused(settings: Settings) -> None:
    await fill(settings, SOME, hear)
    before = await events(settings)
    with pytest.raises(NoDemoData, match="another size or seed"):
        await fill(settings, Asked(profiles=3, seed=2, own=True), hear)
    assert await events(settings) == before


async def test_an_interrupted_filling_goes_on(settings: Settings) -> None:
    with pytest.raises(Interrupted):
        await fill(settings, SOME, interrupt)
    before = await events(settings)
    tally = await fill(settings, SOME, hear)
    assert 0 < tally.before < tally.steps
    assert await events(settings) > before
    again = await fill(settings, SOME, hear)
    assert again.before == again.steps == tally.steps


async def test_not_where_others_went_on_meanwhile(settings: Settings) -> None:
    with pytest.raises(Interrupted):
        await fill(settings, SOME, interrupt)
    await define(settings, "somebodys")
    before = await events(settings)
    with pytest.raises(NoDemoData, match="has gone on"):
        await fill(settings, SOME, hear)
    assert await events(settings) == before


async def test_a_full_ledger_is_full_whoever_went_on_with_it(settings: Settings) -> None:
    await fill(settings, SOME, hear)
    await define(settings, "somebodys")
    tally = await fill(settings, SOME, hear)
    assert tally.before == tally.steps


async def test_not_while_somebody_publishes_the_log(settings: Settings) -> None:
    assert settings.database_url is not None
    relay = PostgresPublishedPosition(settings.database_url.get_secret_value(), settings.relay)
    assert await relay.try_lead()
    try:
        with pytest.raises(NoDemoData, match="stop it"):
            await fill(settings, SOME, hear)
    finally:
        await relay.release()
    assert await events(settings) == 0
