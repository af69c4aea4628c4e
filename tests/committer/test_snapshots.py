"""A long account is loaded from its snapshot on, and a snapshot never decides anything."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from committer.processes import FaultyStore, Process, account_of, balance, defined, redeem

from ledger import snapshot_keeper
from ledger.account.state import Account
from ledger.event_store.port import EventStoreUnavailable, StreamHead
from ledger.event_store.snapshots import MemorySnapshots, Snapshot
from ledger.group import Versioned
from ledger.programme.reward_definitions import Programme
from ledger.snapshot_keeper import SnapshotKeeper
from ledger.snapshots import fingerprint, pack, unpack
from ledger.state_cache import StateCache
from ledger.submission import Accepted
from schemas.redemptions import RedemptionMade, ReturnRedemption, ReverseRedemption

ACCOUNT = "account-p"


class Reads(FaultyStore):
    """Remembers after which version each stream was read."""

    def __init__(self) -> None:
        super().__init__()
        self.after: dict[str, int] = {}

    async def payloads(self, after):  # type: ignore[no-untyped-def]
        self.after |= after
        return await super().payloads(after)


@pytest.fixture
def log() -> Reads:
    return Reads()


@pytest.fixture
def kept() -> MemorySnapshots:
    return MemorySnapshots()


@pytest.fixture
async def keeper(kept: MemorySnapshots) -> AsyncIterator[SnapshotKeeper]:
    keeper = SnapshotKeeper(kept, events_between=5)
    running = asyncio.create_task(keeper.run())
    yield keeper
    running.cancel()


async def a_long_account(log: Reads, keeper: SnapshotKeeper) -> list[int]:
    """Ten rewards, ten redemptions of 4 from them."""
    process = Process(log, snapshots=keeper)
    await defined(process)
    redemptions = [await process.redeemed_of_ten("4") for _ in range(10)]
    process.task.cancel()
    return redemptions


async def taken(kept: MemorySnapshots, version: int = 1) -> Snapshot:
    async with asyncio.timeout(10):
        while ACCOUNT not in kept.kept or kept.kept[ACCOUNT][1].head.version < version:
            await asyncio.sleep(0.001)
    return kept.kept[ACCOUNT][1]


async def test_a_restart_reads_only_what_came_after_the_snapshot(
    log: Reads, kept: MemorySnapshots, keeper: SnapshotKeeper
) -> None:
    await a_long_account(log, keeper)
    snapshot = await taken(kept, 16)
    again = Process(log, snapshots=keeper)
    answer = await again.accepted(redeem("60"))
    assert balance(answer) == 0
    assert log.after[ACCOUNT] == snapshot.head.version
    again.task.cancel()


async def test_what_was_decided_on_a_snapshot_is_what_the_whole_history_says(
    log: Reads, kept: MemorySnapshots, keeper: SnapshotKeeper
) -> None:
    first, second, *_ = await a_long_account(log, keeper)
    await taken(kept, 16)
    again = Process(log, snapshots=keeper)
    await again.accepted(ReverseRedemption(redemption_id=first))
    await again.accepted(ReturnRedemption(redemption_id=second, amount="1", policy="restore"))
    answer = await again.accepted(redeem("5"))
    assert answer.state == await account_of(log)
    again.task.cancel()


async def test_a_changed_fold_reads_the_whole_history(
    log: Reads,
    kept: MemorySnapshots,
    keeper: SnapshotKeeper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await a_long_account(log, keeper)
    await taken(kept, 16)
    monkeypatch.setattr(snapshot_keeper, "fingerprint", lambda: b"another fold")
    again = Process(log, snapshots=keeper)
    assert balance(await again.accepted(redeem("60"))) == 0
    assert log.after[ACCOUNT] == 0
    again.task.cancel()


@pytest.mark.parametrize(
    "module", ["account/state.py", "account/folding/redemptions.py", "records.py", "snapshots.py"]
)
def test_the_fingerprint_changes_with_any_module_that_has_a_part_in_the_fold(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = shutil.copytree(str(resources.files("ledger")), tmp_path / "ledger")
    anew, real = fingerprint.__wrapped__, resources.files
    monkeypatch.setattr(
        resources,
        "files",
        lambda name: (
            tmp_path.joinpath(*name.split(".")) if name.startswith("ledger") else real(name)
        ),
    )
    assert anew() == fingerprint()
    with (copied / module).open("a") as file:
        file.write("# otherwise\n")
    assert anew() != fingerprint()


async def test_a_snapshot_that_cannot_be_unpacked_is_as_good_as_none(
    log: Reads, kept: MemorySnapshots, keeper: SnapshotKeeper
) -> None:
    await a_long_account(log, keeper)
    snapshot = await taken(kept, 16)
    kept.kept[ACCOUNT] = (fingerprint(), replace(snapshot, state=b"\x00\x00\x00\x02{]"))
    again = Process(log, snapshots=keeper)
    assert balance(await again.accepted(redeem("60"))) == 0
    again.task.cancel()


async def test_a_state_that_was_never_committed_is_refused_by_the_append(
    log: Reads, kept: MemorySnapshots, keeper: SnapshotKeeper
) -> None:
    """As if the log had been restored to before the snapshot: the version check finds out."""
    await a_long_account(log, keeper)
    snapshot = await taken(kept, 16)
    head = StreamHead(snapshot.head.version + 100, snapshot.head.position + 100)
    kept.kept[ACCOUNT] = (fingerprint(), replace(snapshot, head=head))
    cache = StateCache(log, keeper)
    loaded = (await cache.load([ACCOUNT]))[ACCOUNT]
    assert loaded.head == head  # which no stream has: nothing can be appended on top of it


async def test_a_snapshot_is_taken_again_after_as_many_events(
    log: Reads, kept: MemorySnapshots, keeper: SnapshotKeeper
) -> None:
    await a_long_account(log, keeper)
    first = await taken(kept, 16)
    again = Process(log, snapshots=keeper)
    for _ in range(6):
        await again.redeemed("1")
    second = await taken(kept, first.head.version + 1)
    assert second.head.version - first.head.version >= 5
    account = unpack(second.state)
    assert sum(isinstance(r.id, int) for r in account.redemptions.values()) > 10
    again.task.cancel()


async def test_a_store_that_is_away_stops_no_snapshot_for_ever(kept: MemorySnapshots) -> None:
    class Away(MemorySnapshots):
        faults = 1

        async def keep(self, snapshot: Snapshot, made_by: bytes) -> None:
            if self.faults:
                self.faults -= 1
                raise EventStoreUnavailable
            await super().keep(snapshot, made_by)

    store = Away()
    keeper = SnapshotKeeper(store, events_between=1)
    running = asyncio.create_task(keeper.run())
    keeper.offer(ACCOUNT, Versioned(Account(), StreamHead(5, 5)), 0)
    async with asyncio.timeout(10):
        while store.faults:
            await asyncio.sleep(0.001)
    keeper.offer(ACCOUNT, Versioned(Account(), StreamHead(9, 9)), 0)
    await taken(store, 9)
    running.cancel()


def test_only_long_accounts_are_worth_one(keeper: SnapshotKeeper) -> None:
    assert not keeper.offer(ACCOUNT, Versioned(Account(), StreamHead(4, 4)), 0)
    assert keeper.offer(ACCOUNT, Versioned(Account(), StreamHead(5, 5)), 0)
    assert not keeper.offer(ACCOUNT, Versioned(Account(), StreamHead(8, 8)), 5)
    assert not keeper.offer("programme", Versioned(Programme(), StreamHead(99, 99)), 0)


async def test_an_account_unpacks_to_what_was_packed(log: Reads, keeper: SnapshotKeeper) -> None:
    await a_long_account(log, keeper)
    account = await account_of(log)
    assert unpack(pack(account)) == account
    assert unpack(pack(unpack(pack(account)))) == account


async def test_a_packed_account_goes_on_without_unpacking_its_past(
    log: Reads, keeper: SnapshotKeeper
) -> None:
    first, *_ = await a_long_account(log, keeper)
    packed = unpack(pack(await account_of(log)))
    assert first in packed.redemptions
    assert packed.redemptions[first].total_minor == 400
    assert len(packed.redemptions) == 10
    assert packed.redemptions.get(99_999_999) is None


async def test_the_answer_of_a_repeat_is_the_first_one_also_after_a_snapshot(
    log: Reads, kept: MemorySnapshots, keeper: SnapshotKeeper
) -> None:
    process = Process(log, snapshots=keeper)
    await defined(process)
    await process.issued()
    first = await process.accepted(redeem("4"), key="k")
    for _ in range(10):
        await process.redeemed_of_ten("1")
    await taken(kept, 16)
    again = Process(log, snapshots=keeper)
    repeated = await again.send(redeem("4"), key="k")
    assert isinstance(repeated, Accepted)
    assert repeated.replayed
    assert repeated.events == first.events
    assert any(isinstance(event, RedemptionMade) for event in repeated.events)
    for each in (process, again):
        each.task.cancel()
