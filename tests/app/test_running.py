"""Parts of one process: they stop together, in order, and a failing one takes the others along."""

import asyncio
import os
import signal

import pytest

from app.running import Part, PartFailed, run_parts, stop_on_signals


class Recorded:
    """A part that tells when it runs and stops."""

    def __init__(self, name: str, story: list[str]) -> None:
        self.name, self.story = name, story
        self.asked = asyncio.Event()

    async def run(self) -> None:
        self.story.append(f"{self.name} runs")
        try:
            await self.asked.wait()
        finally:
            self.story.append(f"{self.name} ends")

    async def stop(self) -> None:
        self.asked.set()

    def part(self) -> Part:
        return Part(self.name, self.run, self.stop)


async def test_parts_stop_in_the_order_given() -> None:
    story: list[str] = []
    stopping = asyncio.Event()
    parts = [Recorded(name, story).part() for name in ("outer", "inner")]
    running = asyncio.create_task(run_parts(parts, stopping))
    await asyncio.sleep(0.01)
    stopping.set()
    await running
    assert story == ["outer runs", "inner runs", "outer ends", "inner ends"]


async def test_a_part_without_a_stop_is_cancelled() -> None:
    stopping = asyncio.Event()
    forever = Part("forever", lambda: asyncio.sleep(3600))
    running = asyncio.create_task(run_parts([forever], stopping))
    await asyncio.sleep(0.01)
    stopping.set()
    await asyncio.wait_for(running, 1)


async def test_a_failing_part_ends_all_and_says_which_and_why() -> None:
    story: list[str] = []

    async def fail() -> None:
        await asyncio.sleep(0.01)
        raise ValueError("the log was replaced")

    parts = [Recorded("other", story).part(), Part("the relay", fail)]
    with pytest.raises(PartFailed, match="the relay can't go on: the log was replaced"):
        await run_parts(parts, asyncio.Event())
    assert story == ["other runs", "other ends"]


async def test_a_part_that_just_ends_is_a_failure_too() -> None:
    async def end() -> None:
        await asyncio.sleep(0)

    with pytest.raises(PartFailed, match="ended without being asked to"):
        await run_parts([Part("the API", end)], asyncio.Event())


async def test_a_part_that_does_not_stop_is_cancelled_in_time() -> None:
    stopping = asyncio.Event()

    async def never() -> None:
        await asyncio.sleep(3600)

    deaf = Part("deaf", never, never, stop_seconds_max=0.05)
    running = asyncio.create_task(run_parts([deaf], stopping))
    await asyncio.sleep(0.01)
    stopping.set()
    await asyncio.wait_for(running, 2)


async def test_a_failing_stop_does_not_keep_the_others_from_stopping() -> None:
    story: list[str] = []
    stopping = asyncio.Event()

    async def refuse() -> None:
        raise RuntimeError("no")

    bad = Part("bad", lambda: asyncio.sleep(3600), refuse)
    running = asyncio.create_task(run_parts([bad, Recorded("good", story).part()], stopping))
    await asyncio.sleep(0.01)
    stopping.set()
    await asyncio.wait_for(running, 2)
    assert story == ["good runs", "good ends"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_ask_for_a_stop(number: int) -> None:
    stopping = asyncio.Event()
    with stop_on_signals(stopping):
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stopping.wait(), 1)
