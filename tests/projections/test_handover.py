"""Rewards and redemptions that pass between accounts: whatever partition is read first, delivered
twice or rebuilt, each row is its owner's, and all models say what the accounts say."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from committer.processes import Process, defined, redeem, reward

from ledger.account.state import Account
from ledger.event_store.memory import MemoryEventStore
from ledger.rejections import Rejection
from ledger.streams import event_of, fold_whole
from ledger.submission import Accepted
from projections import rebuild
from projections.applying import unpark
from projections.projection import Projection
from projections.read_models import ALL, identities, redemptions, rewards
from schemas.commands import Command
from schemas.envelope import Recorded
from schemas.holds import CaptureRedemption, RedemptionHeld
from schemas.identities import AttachIdentity, DetachIdentity, IdentityAttached
from schemas.movements import Book
from schemas.profiles import MergeProfiles
from schemas.redemptions import RedemptionMade, ReturnRedemption
from schemas.rewards import AdjustReward, ReassignReward, RewardIssued
from tests.projections.conftest import ReadSide

PROFILES = ("a", "b", "c", "d")
every_projection = pytest.mark.parametrize("projection", ALL, ids=lambda each: each.name)


class Handing:
    """A random history in which much passes from account to account."""

    def __init__(self, process: Process, seed: int) -> None:
        self._process = process
        self._dice = random.Random(seed)
        self._rewards: list[int] = []
        self._redemptions: list[int] = []
        self._identities: dict[int, str] = {1: "none"}
        self._called: dict[int, tuple[Command, str]] = {}

    async def run(self, steps: int) -> None:
        for profile in PROFILES:
            await self._done(reward(profile, "9"))
        for _ in range(steps):
            with suppress(Rejection):
                await self._done(self._command())

    async def _done(self, command: Command) -> None:
        answer = await self._process.send(command, **self._brought(command))
        assert isinstance(answer, Accepted)
        for event in answer.events:
            if isinstance(event, RewardIssued):
                self._rewards.append(event.reward_id)
            if isinstance(event, IdentityAttached):
                self._identities[event.identity_id] = self._brought(command)["identity"]
            if isinstance(event, RedemptionMade | RedemptionHeld):
                self._redemptions.append(event.redemption_id)

    def _brought(self, command: Command) -> dict[str, Any]:
        """What the edge adds."""
        if isinstance(command, AttachIdentity):
            return {"identity": self._called[id(command)][1]}
        return {"identities": self._identities} if isinstance(command, DetachIdentity) else {}

    def _command(self) -> Command:
        dice = self._dice
        if dice.random() < 0.3:
            return self._about_identities(dice.choice(PROFILES))
        profile, other = dice.choice(PROFILES), dice.choice(PROFILES)
        cents = str(dice.randint(1, 9))
        redemption = dice.choice(self._redemptions[-6:] or [1])
        back = {"redemption_id": redemption, "amount": "1"}
        policy = dice.choice(["restore", "reissue"])
        lately = dice.choice(self._rewards[-8:])
        changed = {"reward_id": dice.choice(self._rewards), "value_remaining": "2"}
        commands: list[Command] = [
            reward(profile, cents),
            *[redeem(cents, profile, strict=False)] * 2,
            redeem(cents, profile, strict=False, hold="PT15M"),
            ReturnRedemption.model_validate(back | {"policy": policy}),
            CaptureRedemption(redemption_id=redemption),
            AdjustReward.model_validate(changed | {"expires_at": None}),
            *[ReassignReward(reward_id=lately, profile_id=profile)] * 2,
            MergeProfiles(winner=profile, loser=other),
        ]
        weights = [2] * (len(commands) - 1) + [1]
        return dice.choices(commands, weights)[0]

    def _about_identities(self, profile: str) -> Command:
        dice = self._dice
        told: dict[str, Any] = {"profile_id": profile, "is_primary": dice.random() < 0.5}
        told |= {"handle": dice.choice(["card", "shop"]), "identifier": str(dice.randint(1, 9))}
        number = dice.choice(list(self._identities)[-3:])
        if dice.random() < 0.5:
            return DetachIdentity(profile_id=profile, identity_id=number)
        command = AttachIdentity.model_validate(told)
        without = command.model_copy(update={"identifier": None})
        self._called[id(without)] = without, f"{command.handle} {command.identifier}"
        return without


@pytest.fixture(params=range(2))
async def handed(request: pytest.FixtureRequest) -> AsyncIterator[Sequence[Recorded]]:
    """The log of such a history."""
    store = MemoryEventStore()
    process = Process(store)
    await defined(process, is_reassignable=True)
    await Handing(process, request.param).run(90)
    log = await store.read_log(after_position=0, limit=100_000)
    types = {recorded.type for recorded in log}
    assert {"RewardReceived", "ProfileMerged", "RedemptionReturned"} <= types
    assert {"IdentityAttached", "IdentityDetached"} <= types
    yield log
    process.task.cancel()
    with suppress(asyncio.CancelledError):
        await process.task


async def written(read_side: ReadSide, log: Sequence[Recorded]) -> list[Recorded]:
    await read_side.writer.append_all([(each.stream_id, event_of(each)) for each in log])
    return list(await read_side.log())


@every_projection
async def test_the_order_of_partitions_changes_nothing(
    read_side: ReadSide, handed: Sequence[Recorded], projection: Projection
) -> None:
    log = await written(read_side, handed)
    await read_side.apply(projection, *log)
    assert await read_side.parked(projection) == {}
    expected = await read_side.rows(projection)
    streams = sorted({record.stream_id for record in log})
    for order in (streams, streams[::-1], *(_shuffled(streams, seed) for seed in range(1))):
        await _empty(read_side, projection)
        for stream_id in order:
            partition = [record for record in log if record.stream_id == stream_id]
            await read_side.apply(projection, *partition, *partition[-3:])
        await read_side.apply(projection, *log)
        assert await read_side.parked(projection) == {}
        assert await read_side.rows(projection) == expected


@every_projection
async def test_batches_that_jump_between_partitions_change_nothing(
    read_side: ReadSide, handed: Sequence[Recorded], projection: Projection
) -> None:
    log = await written(read_side, handed)
    await read_side.apply(projection, *log)
    expected = await read_side.rows(projection)
    for seed in range(2):
        await _empty(read_side, projection)
        dice = random.Random(seed)
        near = sorted(log, key=lambda each: each.position + dice.randint(0, 25))
        while near:
            size = dice.randint(1, 20)
            batch, near = near[:size], near[size:] if dice.random() < 0.8 else near[size // 2 :]
            await read_side.apply(projection, *batch)
        await read_side.apply(projection, *log)
        assert await read_side.rows(projection) == expected


@every_projection
async def test_rebuilt_it_is_the_same(
    read_side: ReadSide, handed: Sequence[Recorded], projection: Projection
) -> None:
    log = await written(read_side, handed)
    await read_side.apply(projection, *sorted(log, key=lambda each: each.stream_id))
    await rebuild.rebuild(read_side.pool, projection)
    assert await rebuild.compare(read_side.pool, projection) == []


async def test_each_row_is_its_owners_and_says_what_the_account_says(
    read_side: ReadSide, handed: Sequence[Recorded]
) -> None:
    log = await written(read_side, handed)
    for projection in (rewards.PROJECTION, redemptions.PROJECTION, identities.PROJECTION):
        await read_side.apply(projection, *sorted(log, key=lambda each: each.stream_id))
    accounts = {profile: _account(log, profile) for profile in PROFILES}
    for row in await read_side.pool.fetch("SELECT * FROM projections.rewards_v1"):
        lot = accounts[row["profile_id"]].lots[row["reward_id"]]
        assert lot.moved_to is None
        assert row["issued_minor"] == lot.issued_minor
        for book in set(Book) - {Book.ISSUED}:
            assert row[f"{book.value}_minor"] == lot.amount(book)
    for row in await read_side.pool.fetch("SELECT * FROM projections.redemptions_v1"):
        account = accounts[row["profile_id"]]
        assert account.merged_into is None
        number = row["redemption_id"]
        assert number in account.redemptions or number in account.final_records
        if row["type"] == "redeem":
            known = account.redemptions[number]
            assert row["returned_minor"] == sum(known.given_back.values())

    shown: dict[str, dict[int, tuple[str, bool]]] = {}
    for row in await read_side.pool.fetch("SELECT * FROM projections.identities_v1"):
        told = row["handle"], row["is_primary"]
        shown.setdefault(row["profile_id"], {})[row["identity_id"]] = told
    held = {
        profile: {n: (each.handle, each.is_primary) for n, each in account.identities.items()}
        for profile, account in accounts.items()
        if account.merged_into is None and account.identities
    }
    assert shown == held


async def test_a_merge_waits_for_a_parked_loser_and_unpark_heals_both(
    read_side: ReadSide, handed: Sequence[Recorded]
) -> None:
    projection = rewards.PROJECTION
    log = await written(read_side, handed)
    await read_side.apply(projection, *log)
    expected = await read_side.rows(projection)
    await _empty(read_side, projection)
    merge = next(record for record in log if record.type == "ProfileMerged")
    event = event_of(merge)
    loser = f"account-{getattr(event, 'giver')}"  # noqa: B009
    await read_side.pool.execute(
        f"INSERT INTO {projection.streams.fullname} (stream_id, parked_at_version, parked_reason) "
        "VALUES ($1, 1, 'a test')",
        loser,
    )
    await read_side.apply(projection, *(r for r in log if r.stream_id == merge.stream_id))
    parked = await read_side.parked(projection)
    assert loser in parked
    assert merge.stream_id in parked
    await read_side.apply(projection, *log)
    while parked := await read_side.parked(projection):
        order = sorted(parked, key=lambda stream: (stream != loser, stream))
        for stream_id in order:
            async with read_side.pool.acquire() as connection, connection.transaction():
                await unpark(connection, projection, stream_id)
    assert await read_side.rows(projection) == expected


def _account(log: Sequence[Recorded], profile: str) -> Account:
    stream_id = f"account-{profile}"
    state = fold_whole(stream_id, [each for each in log if each.stream_id == stream_id])
    assert isinstance(state, Account)
    return state


def _shuffled(streams: list[str], seed: int) -> list[str]:
    return random.Random(seed).sample(streams, len(streams))


async def _empty(read_side: ReadSide, projection: Projection) -> None:
    for table in (projection.table, projection.notes, projection.streams):
        await read_side.pool.execute(f"TRUNCATE {table.fullname}")
