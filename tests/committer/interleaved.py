"""A store whose calls take turns by the dice: the same seed gives the same interleaving again."""

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from random import Random
from typing import Any, TypeVar

from ledger.event_store.memory import MemoryEventStore
from ledger.event_store.port import Append, Claim, CommandRecord, Committed, Conflicted, Payload
from schemas.envelope import Recorded

Answer = TypeVar("Answer")

STEPS = 8
"""Enough steps of the loop for whoever had a turn to come to its next call."""


class InterleavedStore(MemoryEventStore):
    """Every call waits for its turn, and for another one before its answer is seen."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._dice = Random(seed)
        self._waiting: list[asyncio.Future[None]] = []
        self.taking_turns = False

    async def append(self, group: Append) -> Committed | Conflicted:
        return await self._in_turn(super().append(group))

    async def read_streams(self, stream_ids: Sequence[str]) -> Mapping[str, Sequence[Recorded]]:
        return await self._in_turn(super().read_streams(stream_ids))

    async def payloads(self, after: Mapping[str, int]) -> Mapping[str, Sequence[Payload]]:
        return await self._in_turn(super().payloads(after))

    async def last_events(self, stream_ids: Sequence[str]) -> Mapping[str, Recorded]:
        return await self._in_turn(super().last_events(stream_ids))

    async def claims(self, names: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Claim]:
        return await self._in_turn(super().claims(names))

    async def records(
        self, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], CommandRecord]:
        return await self._in_turn(super().records(keys))

    async def at_once(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        """All of it, call by call in an order of the dice; results or exceptions."""
        self.taking_turns = True
        everything = asyncio.gather(*work, return_exceptions=True)
        while not everything.done():
            for _ in range(STEPS):
                await asyncio.sleep(0)
            if self._waiting:
                self._waiting.pop(self._dice.randrange(len(self._waiting))).set_result(None)
        self.taking_turns = False
        return await everything

    async def _in_turn(self, call: Awaitable[Answer]) -> Answer:
        await self._turn()
        answer = await call
        await self._turn()
        return answer

    async def _turn(self) -> None:
        if self.taking_turns:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
