"""Committers over one store in memory, as the processes of a deployment are; and what they do."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ledger.account.state import Account
from ledger.committer import Committer
from ledger.event_store.memory import MemoryEventStore
from ledger.event_store.port import (
    Append,
    Claim,
    CommandRecord,
    Committed,
    Conflicted,
    EventStore,
    EventStoreUnavailable,
    Payload,
    StreamHead,
)
from ledger.streams import fold_whole
from ledger.submission import Accepted, Answer, Submission
from ledger.transactions.state import Transaction, transaction_stream
from schemas.commands import Command
from schemas.envelope import Recorded
from schemas.redemptions import MakeRedemption, RedemptionMade
from schemas.reward_definitions import AddRewardDefinition, RewardDefinitionAdded
from schemas.rewards import IssueReward, RewardIssued
from schemas.transactions import RecordTransaction, TransactionRecorded

NOW = datetime(2031, 1, 1, tzinfo=UTC)


class FaultyStore(MemoryEventStore):
    """The memory store with faults to inject: lost answers, a store that can't be reached.

    It counts its calls, and a gate holds appends back.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers_to_lose = 0
        self.unreachable = False
        self.faults: list[Exception] = []
        self.always_moved: set[str] = set()
        self.appends: list[Append] = []
        self.calls: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def append(self, group: Append) -> Committed | Conflicted:
        self.calls.append("append")
        self.appends.append(group)
        await self.gate.wait()
        if self.faults:
            raise self.faults.pop()
        moved = self.always_moved & group.expected.keys()
        if moved:
            return Conflicted(streams={stream_id: StreamHead(99, 99) for stream_id in moved})
        result = await super().append(group)
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise EventStoreUnavailable
        return result

    async def read_streams(self, stream_ids: Sequence[str]) -> Mapping[str, Sequence[Recorded]]:
        self.calls.append("read_streams")
        if self.unreachable:
            raise EventStoreUnavailable
        return await super().read_streams(stream_ids)

    async def payloads(self, after: Mapping[str, int]) -> Mapping[str, Sequence[Payload]]:
        self.calls.append("payloads")
        if self.unreachable:
            raise EventStoreUnavailable
        return await super().payloads(after)

    async def last_events(self, stream_ids: Sequence[str]) -> Mapping[str, Recorded]:
        self.calls.append("last_events")
        if self.unreachable:
            raise EventStoreUnavailable
        return await super().last_events(stream_ids)

    async def read_log(self, *, after_position: int, limit: int) -> Sequence[Recorded]:
        self.calls.append("read_log")
        return await super().read_log(after_position=after_position, limit=limit)

    async def claims(self, names: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Claim]:
        self.calls.append("claims")
        return await super().claims(names)

    async def records(
        self, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], CommandRecord]:
        self.calls.append("records")
        return await super().records(keys)

    async def new_ids(self, count: int) -> range:
        self.calls.append("new_ids")
        return await super().new_ids(count)


class Process:
    """One committer over a store, as one process of a deployment has it."""

    def __init__(self, store: EventStore, **options: Any) -> None:
        self.now = NOW
        self.committer = Committer(store, clock=lambda: self.now, **options)
        self.task = asyncio.create_task(self.committer.run())

    async def send(self, command: Command, *, body: str = "", **options: Any) -> Answer:
        fingerprint = (body or command.model_dump_json()).encode()
        submission = Submission(command, "till", "till-1", fingerprint=fingerprint, **options)
        return await self.committer.submit(submission)

    async def accepted(self, command: Command, **options: Any) -> Accepted:
        answer = await self.send(command, **options)
        assert isinstance(answer, Accepted)
        return answer

    def soon(self, command: Command, **options: Any) -> asyncio.Task[Answer]:
        """The command on its way; it is in the queue at the next step of the loop."""
        return asyncio.create_task(self.send(command, **options))

    async def issued(self, profile: str = "p", value: str = "10", **more: Any) -> int:
        """A reward; its id."""
        events = (await self.accepted(reward(profile, value, **more))).events
        return next(e.reward_id for e in events if isinstance(e, RewardIssued))

    async def redeemed(self, amount: str, profile: str = "p", **more: Any) -> int:
        """A redemption; its id."""
        events = (await self.accepted(redeem(amount, profile, **more))).events
        return next(e.redemption_id for e in events if isinstance(e, RedemptionMade))

    async def redeemed_of_ten(self, amount: str, profile: str = "p", **more: Any) -> int:
        """A redemption out of a new reward of 10; its id."""
        await self.issued(profile)
        return await self.redeemed(amount, profile, **more)

    async def sold(self, profile: str | None = "p", **more: Any) -> int:
        """A sale; its id."""
        events = (await self.accepted(sell(profile, **more))).events
        return next(e.transaction_id for e in events if isinstance(e, TransactionRecorded))


async def defined(process: Process, **changes: Any) -> int:
    fields = {"name": "B", "handle": "birthday", "value": "10", "type": "birthday", "period": 30}
    answer = await process.accepted(AddRewardDefinition.model_validate(fields | changes))
    (added,) = answer.events
    assert isinstance(added, RewardDefinitionAdded)
    return added.definition_id


def reward(profile: str = "p", value: str = "10", **more: Any) -> IssueReward:
    fields = {"profile_id": profile, "reward_definition_handle": "birthday", "value_initial": value}
    return IssueReward.model_validate(fields | more)


def redeem(amount: str, profile: str = "p", **more: Any) -> MakeRedemption:
    return MakeRedemption.model_validate({"profile_id": profile, "amount": amount} | more)


def balance(answer: Answer) -> int:
    assert isinstance(answer.state, Account)
    return answer.state.available_minor(NOW)


def sell(profile: str | None = "p", **more: Any) -> RecordTransaction:
    fields = {
        "profile_id": profile,
        "external_id": "t-1",
        "total": "10",
        "transacted_at": "2031-01-01 00:00:00",
        "timezone": "UTC",
        "items": [{"name": "x", "quantity": "1", "price_current": "9.99", "price_sell": "9.99"}],
    }
    return RecordTransaction.model_validate(fields | more)


async def account_of(store: EventStore, profile: str = "p") -> Account:
    """The account as the log holds it."""
    stream_id = f"account-{profile}"
    state = fold_whole(stream_id, (await store.read_streams([stream_id]))[stream_id])
    assert isinstance(state, Account)
    return state


async def transaction_of(store: MemoryEventStore, transaction_id: int) -> Transaction:
    """The transaction as the log holds it."""
    stream_id = transaction_stream(transaction_id)
    state = fold_whole(stream_id, (await store.read_streams([stream_id]))[stream_id])
    assert isinstance(state, Transaction)
    return state


async def a_moment() -> None:
    """Everything that can go on without the store's gate goes on."""
    await asyncio.sleep(0.01)
