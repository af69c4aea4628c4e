"""Ten writers against a server that keeps failing them, and a reader beside them all the time."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from app.database.migrate import migrate
from app.embedded import EmbeddedServers
from app.embedded.passwords import passwords
from ledger.event_store import chain
from ledger.event_store.faults import FAULTS
from ledger.event_store.port import (
    Append,
    Committed,
    EventStoreUnavailable,
    StreamHead,
)
from ledger.event_store.postgres import PostgresEventStore
from schemas.envelope import Recorded
from tests.contracts.groups import event, group, unit

WRITERS = 10
APPENDS_EACH = 30
EVENTS_EACH = 2
ROUNDS_MAX = 4

WRITING = """
SELECT pid FROM pg_stat_activity
WHERE application_name = 'ledger-writer' ORDER BY random() LIMIT 1"""


@dataclass
class Server:
    """A server of the test's own: it will be killed."""

    servers: EmbeddedServers
    url: str
    chance: random.Random = field(default_factory=lambda: random.Random(5))

    async def look(self, query: str) -> int | None:
        """A number from the server, or None where it can't say now."""
        with suppress(*FAULTS):
            connection = await asyncpg.connect(self.url, timeout=2)
            try:
                found: int | None = await connection.fetchval(query, timeout=2)
                return found
            finally:
                connection.terminate()
        return None

    async def terminate_a_writer(self) -> None:
        """As an administrator ends a session."""
        await self.look(f"SELECT pg_terminate_backend(pid)::int FROM ({WRITING}) one")

    async def kill_a_writer(self) -> None:
        """As the kernel ends a process: the server then starts all its sessions anew."""
        pid = await self.look(WRITING)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while await self.look("SELECT 1") is None:
                await asyncio.sleep(0.05)

    async def restart(self, number: signal.Signals) -> None:
        """End the whole server, and start it again where it was."""
        os.kill((await asyncio.to_thread(self.servers.start)).postgres_pid, number)
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(self.servers.mend):
                await asyncio.sleep(0.05)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    with EmbeddedServers(tmp_path / "data", kafka=False) as servers:
        url = servers.start().owner_database_url
        address = url.rpartition("@")[2].split("/")[0]
        word = passwords(tmp_path / "data", first_start=False).superuser
        admin = await asyncpg.connect(f"postgresql://postgres:{word}@{address}/postgres")
        await admin.execute("CREATE DATABASE chaos TEMPLATE template0 ENCODING 'UTF8'")
        await admin.close()
        chaos = f"postgresql://postgres:{word}@{address}/chaos"
        await migrate(chaos)
        yield Server(servers, chaos)


@dataclass
class Writer:
    """Appends to a stream of its own. Its client loses patience now and then."""

    stream: str
    store: PostgresEventStore
    chance: random.Random
    acknowledged: list[tuple[int, Append]] = field(default_factory=list)

    async def run(self) -> None:
        head = StreamHead()
        for _ in range(APPENDS_EACH):
            versions = range(head.version + 1, head.version + 1 + EVENTS_EACH)
            same = group(unit(*(event(self.stream, v) for v in versions)), **{self.stream: head})
            done = await self._until_answered(same)
            self.acknowledged.append((done.first_position, same))
            head = StreamHead(versions[-1], done.first_position + EVENTS_EACH - 1)

    async def _until_answered(self, same: Append) -> Committed:
        while True:
            patience = self.chance.choice([0.002, 0.01, 5.0, 5.0])
            try:
                async with asyncio.timeout(patience):
                    result = await self.store.append(same)
            except EventStoreUnavailable:
                # As the committer does: a server that is to stop waits for whoever knocks.
                await asyncio.sleep(0.05 + self.chance.random() * 0.1)
                continue
            except TimeoutError:
                continue
            assert isinstance(result, Committed), result
            return result


async def follow(store: PostgresEventStore, last: int) -> list[Recorded]:
    """The log as a reader meets it who only ever asks for what comes after the last he saw."""
    seen: list[Recorded] = []
    while len(seen) < last:
        try:
            page = await store.read_log(after_position=len(seen), limit=100)
        except EventStoreUnavailable:
            await asyncio.sleep(0.1)
            continue
        seen += page
        assert [each.position for each in seen] == list(range(1, len(seen) + 1)), "a gap"
        await asyncio.sleep(0.005)
    return seen


async def disturb(server: Server) -> None:
    """Nothing is spared; in between there is time to get something done."""
    for round_ in range(ROUNDS_MAX):
        for _ in range(4):
            await server.terminate_a_writer()
            await asyncio.sleep(0.02 + server.chance.random() * 0.05)
        await server.kill_a_writer()
        await asyncio.sleep(0.2)
        await server.restart(signal.SIGKILL if round_ % 2 else signal.SIGINT)
        await asyncio.sleep(0.2)


async def test_whatever_ends_nothing_acknowledged_is_lost_and_nobody_sees_a_gap(
    server: Server,
) -> None:
    stores = [await PostgresEventStore.connect(server.url) for _ in range(WRITERS + 1)]
    writers = [Writer(f"s{n}", store, random.Random(n)) for n, store in enumerate(stores[:WRITERS])]
    total = WRITERS * APPENDS_EACH * EVENTS_EACH
    disturbing = asyncio.create_task(disturb(server))
    reading = asyncio.create_task(follow(stores[-1], total))
    async with asyncio.timeout(150):
        await asyncio.gather(*(writer.run() for writer in writers))
        disturbing.cancel()
        await asyncio.wait([disturbing])
        await asyncio.to_thread(server.servers.mend)
        seen = await reading
    log = await stores[-1].read_log(after_position=0, limit=total + 1)
    assert log == seen, "what a reader saw is what stands"
    assert chain.verify(log, await stores[-1].incarnation()) is None
    assert [e.recorded_at for e in log] == sorted(e.recorded_at for e in log)
    for writer in writers:
        for first, same in writer.acknowledged:
            stands = log[first - 1 : first - 1 + EVENTS_EACH]
            assert [(e.stream_id, e.stream_version) for e in stands] == [
                (e.stream_id, e.stream_version) for e in same.units[0].events
            ]
    for store in stores:
        await store.close()
