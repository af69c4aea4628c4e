"""A dry run: the answer of the real thing, and nothing written, not even for those behind it."""

import asyncio
from typing import Any

import pytest
from committer.processes import (
    FaultyStore,
    Process,
    account_of,
    balance,
    defined,
    redeem,
    reward,
    sell,
)

from ledger.rejections import InsufficientBalance
from ledger.submission import Accepted
from schemas.commands import Command
from schemas.events import Event
from schemas.redemptions import ReverseRedemption
from schemas.transactions import LinkRedemption, VoidTransaction


def without_ids(events: tuple[Event, ...]) -> list[Any]:
    """The events but for the numbers they take, which differ each time."""
    ids = {"reward_id", "redemption_id", "reversal_id", "transaction_id", "movements"}
    return [(type(event), event.model_dump(exclude=ids)) for event in events]


async def everything(store: FaultyStore) -> tuple[Any, ...]:
    """All the store holds."""
    log = await store.read_log(after_position=0, limit=10_000)
    return tuple(log), dict(store._claims), dict(store._records)


async def test_the_answer_is_that_of_the_real_thing_and_nothing_is_written(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    redemption_id = await process.redeemed_of_ten("4", transaction_external_id="t-2")
    sold_id = await process.sold(external_id="t-0", redemption_id=await process.redeemed("1"))
    commands: list[Command] = [
        reward(value="3", external_id="r-1"),
        redeem("2", external_id="x-1", transaction_external_id="t-1"),
        sell(None),
        sell(external_id=None),
        VoidTransaction(transaction_id=sold_id),
        ReverseRedemption(redemption_id=redemption_id),
    ]
    for command in commands:
        before = await everything(store)
        tried = await process.accepted(command, dry_run=True, key="k")
        again = await process.accepted(command, dry_run=True, key="k")
        assert tried.dry_run
        assert (tried.position, again.position) == (0, 0)
        assert await everything(store) == before
        real = await process.accepted(command)
        assert without_ids(tried.events) == without_ids(again.events) == without_ids(real.events)


async def test_those_behind_it_in_its_group_do_not_see_it(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    await process.issued(value="10")
    answers = await asyncio.gather(
        process.send(redeem("10", external_id="x"), dry_run=True),
        process.send(redeem("10"), dry_run=True),
        process.send(redeem("4")),
        process.send(redeem("10"), dry_run=True),
        process.send(redeem("6", external_id="x")),
        return_exceptions=True,
    )
    one, two, three, four, five = answers
    assert isinstance(one, Accepted)
    assert isinstance(two, Accepted)
    assert balance(one) == balance(two) == 0
    assert isinstance(three, Accepted)
    assert isinstance(four, InsufficientBalance)
    assert four.facts == {"available": 6}
    assert isinstance(five, Accepted)
    assert (await account_of(store)).available_minor(process.now) == 0


async def test_it_never_rests_on_a_stale_cache(process: Process, other_process: Process) -> None:
    await defined(process)
    await process.issued(value="5")
    assert balance(await other_process.send(redeem("1"))) == 400
    await process.redeemed("4")
    with pytest.raises(InsufficientBalance):
        await other_process.send(redeem("1"), dry_run=True)
    await process.issued(value="5")
    assert balance(await other_process.send(redeem("5"), dry_run=True)) == 0


async def test_a_refused_one_leaves_its_key_free(process: Process, store: FaultyStore) -> None:
    await defined(process)
    await process.issued(value="5")
    before = await everything(store)
    with pytest.raises(InsufficientBalance):
        await process.send(redeem("6"), dry_run=True, key="k")
    assert await everything(store) == before
    assert balance(await process.send(redeem("5"), key="k")) == 0


async def test_a_link_that_was_only_tried_can_be_made(process: Process, store: FaultyStore) -> None:
    await defined(process)
    redemption_id = await process.redeemed_of_ten("4")
    sold_id = await process.sold()
    link = LinkRedemption(transaction_id=sold_id, redemption_id=redemption_id)
    tried = await process.accepted(link, dry_run=True)
    assert (await account_of(store)).redemptions[redemption_id].transaction_id is None
    assert (await process.accepted(link)).events == tried.events
    assert (await account_of(store)).redemptions[redemption_id].transaction_id == sold_id
