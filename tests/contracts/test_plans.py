"""The server keeps plans for the life of a connection: none may rest on how small the log was."""

import asyncio

import asyncpg

from ledger.event_store.port import Claim, CommandRecord, Committed, StreamHead
from ledger.event_store.postgres import PostgresEventStore
from tests.contracts.groups import event, group, unit

STREAMS = 500


class Growth:
    """Appends on one connection, and the rows their look-ups may read at the most."""

    def __init__(self, store: PostgresEventStore) -> None:
        self._store = store
        self._heads = dict.fromkeys((f"s{n}" for n in range(STREAMS)), StreamHead())
        self.appends = 0
        self.readable = 0

    async def append(self, stream_ids: list[str], each: int) -> None:
        units = [
            unit(
                *(event(stream_id, self._heads[stream_id].version + n + 1) for n in range(each)),
                record=CommandRecord("till", f"{stream_id}-{self.appends}", b"f", b"{}"),
                claims=(Claim("kind", f"{stream_id}-{self.appends}", stream_id),),
            )
            for stream_id in stream_ids
        ]
        done = await self._store.append(group(*units, **{s: self._heads[s] for s in stream_ids}))
        assert isinstance(done, Committed)
        self.appends += 1
        # One row for each head, and the last one of the log.
        self.readable += len(stream_ids) + 1
        for n, stream_id in enumerate(stream_ids, 1):
            version = self._heads[stream_id].version + each
            self._heads[stream_id] = StreamHead(version, done.first_position + n * each - 1)


async def test_look_ups_use_their_indexes_however_the_log_grew(
    database_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    store = await PostgresEventStore.connect(database_url)
    growth = Growth(store)
    for n in range(10):
        await growth.append([f"s{n}"], 1)
    for _ in range(25):
        await growth.append(["s0"], 1_000)
        await growth.append([f"s{n}" for n in range(STREAMS)], 2)
    for _ in range(20):
        await growth.append(["s0"], 1)
    await store.close()  # with its end the connection hands in what it counted
    async with asyncio.timeout(20):
        inserted = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'appends'"
        while await superuser.fetchval(inserted) != growth.appends:
            await asyncio.sleep(0.1)
    for table in ("events", "commands", "reservations", "appends"):
        scanned = f"SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = '{table}'"
        assert await superuser.fetchval(scanned) == 0, table
        read = f"SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = '{table}'"
        assert await superuser.fetchval(read) <= growth.readable, table
