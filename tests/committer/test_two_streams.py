"""Commands over an account and a transaction: repeated, in conflict, and what they cost."""

import asyncio
from collections.abc import Callable

import pytest
from committer.processes import (
    FaultyStore,
    Process,
    a_moment,
    account_of,
    balance,
    defined,
    redeem,
    reward,
    sell,
)

from ledger import deciding
from ledger.announcements import ANNOUNCEMENTS_MAX
from ledger.rejections import (
    ExternalIdTaken,
    IdempotencyKeyReused,
    RedemptionAnnouncedElsewhere,
    TransactionIsVoid,
)
from ledger.submission import Accepted, AlreadyThere
from ledger.transactions.state import Transaction
from schemas.commands import Command
from schemas.redemptions import ReturnRedemption, ReverseRedemption
from schemas.rewards import RevokeReward
from schemas.transactions import LinkRedemption, RecordTransaction, VoidTransaction

# ── Repeats ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_key_repeated_elsewhere_gives_the_first_answer_of_two_streams_again(
    process: Process, other_process: Process
) -> None:
    await defined(process)
    number = await process.redeemed_of_ten("4", transaction_external_id="t-1")
    kept = await process.redeemed_of_ten("1")
    sale = await process.accepted(sell(None, redemption_id=number), key="sale")
    transaction_id = sale.state.id
    commands: dict[str, Command] = {
        "more": redeem("3", transaction_external_id="t-1"),
        "link": LinkRedemption(transaction_id=transaction_id, redemption_id=kept),
        "void": VoidTransaction(transaction_id=transaction_id),
        "again": VoidTransaction(transaction_id=transaction_id),
    }
    first = {key: await process.accepted(command, key=key) for key, command in commands.items()}
    first["sale"] = sale
    commands["sale"] = sell(None, redemption_id=number)
    await process.issued(value="7")
    for key, command in commands.items():
        replayed = await other_process.accepted(command, key=key)
        assert replayed.replayed
        assert replayed.events == first[key].events
        assert replayed.stream_id == first[key].stream_id
        assert replayed.state == first[key].state
        if replayed.events:
            assert replayed.position == first[key].position


async def test_a_key_repeated_at_the_same_moment_makes_one_sale(
    process: Process, other_process: Process, store: FaultyStore
) -> None:
    await defined(process)
    number = await process.redeemed_of_ten("4")
    command = sell(redemption_id=number)
    both = (process, other_process)
    answers = await asyncio.gather(*(both[n % 2].accepted(command, key="k") for n in range(20)))
    assert len({answer.events for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1


async def test_a_key_of_a_sale_with_another_body_is_refused(process: Process) -> None:
    await process.send(sell(), key="k")
    with pytest.raises(IdempotencyKeyReused):
        await process.send(sell(total="11"), key="k")


async def test_a_sale_repeated_under_its_external_id_is_there_as_it_is_now(
    process: Process, other_process: Process
) -> None:
    transaction_id = await process.sold()
    await process.send(VoidTransaction(transaction_id=transaction_id))
    again = await other_process.send(sell())
    assert isinstance(again, AlreadyThere)
    assert isinstance(again.state, Transaction)
    assert (again.state.id, again.state.void) == (transaction_id, True)
    for other in (sell(total="11"), sell(None)):
        with pytest.raises(ExternalIdTaken):
            await other_process.send(other)


async def test_an_external_id_repeated_at_the_same_moment_redeems_once(process: Process) -> None:
    await defined(process)
    await process.issued()
    command = redeem("4", external_id="r-1")
    answers = await asyncio.gather(*(process.send(command) for _ in range(10)))
    assert sum(isinstance(answer, AlreadyThere) for answer in answers) == 9
    assert {balance(answer) for answer in answers} == {600}


@pytest.mark.parametrize("profile", ["p", None])
@pytest.mark.parametrize("sale_first", [True, False])
async def test_a_sale_and_its_announcement_may_come_at_the_same_moment(
    process: Process, store: FaultyStore, profile: str | None, sale_first: bool
) -> None:
    await defined(process)
    await process.issued()
    commands: list[Command] = [redeem("4", transaction_external_id="t-1"), sell(profile)]
    await asyncio.gather(*(process.send(c) for c in sorted(commands, key=_is_sale(sale_first))))
    ((_, redemption),) = (await account_of(store)).redemptions.items()
    assert redemption.transaction_id is not None


def _is_sale(first: bool) -> Callable[[Command], bool]:
    return lambda command: isinstance(command, RecordTransaction) != first


async def test_a_redemption_given_back_by_a_void_is_not_repeated(process: Process) -> None:
    await defined(process)
    command = redeem("4", external_id="r-1", transaction_external_id="t-1")
    await process.issued()
    await process.send(command)
    transaction_id = await process.sold(None)
    assert isinstance(await process.send(command), AlreadyThere)
    await process.send(VoidTransaction(transaction_id=transaction_id))
    with pytest.raises(ExternalIdTaken):
        await process.send(command)


async def test_a_sale_is_not_announced_and_given_back_without_end(
    process: Process, store: FaultyStore
) -> None:
    """The look-ups stay few, and the sale itself still arrives."""
    await defined(process)
    await process.issued()
    for _ in range(ANNOUNCEMENTS_MAX):
        number = await process.redeemed("4", transaction_external_id="t-1")
        await process.send(ReverseRedemption(redemption_id=number))
    with pytest.raises(RedemptionAnnouncedElsewhere):
        await process.send(redeem("4", transaction_external_id="t-1"))
    number = await process.redeemed("4")
    await process.sold(None, redemption_id=number)
    (redemption,) = (r for r in (await account_of(store)).redemptions.values() if not r.reversed)
    assert redemption.transaction_id is not None


# ── Conflicts ────────────────────────────────────────────────────────────────────────────────────


async def test_a_conflict_on_the_transaction_taints_only_what_rests_on_it(
    process: Process, other_process: Process, store: FaultyStore
) -> None:
    """The link has to be decided again, and what was redeemed on top of it; nothing else."""
    await defined(process)
    number = await process.redeemed_of_ten("4")
    await process.issued("q")
    transaction_id = await process.sold(None)
    link = LinkRedemption(transaction_id=transaction_id, redemption_id=number)
    assert (await process.accepted(link, dry_run=True)).events
    await other_process.send(VoidTransaction(transaction_id=transaction_id))
    store.appends.clear()
    linked, on_top, apart = await asyncio.gather(
        process.send(link),
        process.send(redeem("1", "p")),
        process.send(redeem("1", "q")),
        return_exceptions=True,
    )
    assert isinstance(linked, TransactionIsVoid)
    assert isinstance(on_top, Accepted)
    assert isinstance(apart, Accepted)
    written = [
        [{event.stream_id for event in unit.events} for unit in group.units]
        for group in store.appends
    ]
    account, transaction = "account-p", f"transaction-{transaction_id}"
    assert written == [
        [{account, transaction}, {account}, {"account-q"}],
        [{"account-q"}],
        [set(), {account}],
    ]
    assert (await account_of(store)).available_minor(process.now) == 500


async def test_an_account_known_from_before_is_read_again_beside_a_newer_transaction(
    process: Process, other_process: Process, store: FaultyStore
) -> None:
    """The sale's redemption is not on the account as this process knows it."""
    await defined(process)
    await other_process.issued()
    transaction_id = await process.sold(redemption_id=await process.redeemed("4"))
    voided = await other_process.accepted(VoidTransaction(transaction_id=transaction_id))
    assert (await account_of(store)).available_minor(process.now) == 1000
    assert voided.state.void


async def test_a_lost_answer_leaves_both_streams_as_they_are(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    number = await process.redeemed_of_ten("4")
    store.answers_to_lose = 1
    transaction_id = await process.sold(redemption_id=number)
    store.answers_to_lose = 1
    await process.send(VoidTransaction(transaction_id=transaction_id))
    assert (await account_of(store)).available_minor(process.now) == 1000
    assert balance(await process.send(redeem("10"))) == 0


# ── What it costs ────────────────────────────────────────────────────────────────────────────────


async def cold_calls(store: FaultyStore, *commands: Command, key: str | None = None) -> int:
    """How often a process that knows nothing yet asks the store to answer these in one group."""
    process = Process(store)
    process.committer._ids.extend(await store.new_ids(2_000))
    store.calls.clear()
    keys = [None if key is None else f"{key}-{n}" for n in range(len(commands))]
    sent = [process.soon(c, key=k) for c, k in zip(commands, keys, strict=True)]
    await asyncio.gather(*sent)
    await a_moment()
    process.task.cancel()
    return len(store.calls)


async def test_a_cold_process_asks_the_store_a_bounded_number_of_times(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    number = await process.redeemed_of_ten("1", transaction_external_id="t-1")
    other = await process.redeemed_of_ten("1")
    third = await process.redeemed_of_ten("1", "q")
    reward_id = await process.issued()
    sold = await process.sold("q", external_id="t-0")
    calls = {
        "issue": await cold_calls(store, reward()),
        "redeem": await cold_calls(store, redeem("1")),
        "announce": await cold_calls(store, redeem("1", transaction_external_id="t-3")),
        "reverse": await cold_calls(store, ReverseRedemption(redemption_id=other)),
        "return": await cold_calls(store, ReturnRedemption(redemption_id=third, amount="0.5")),
        "revoke": await cold_calls(store, RevokeReward(reward_id=reward_id)),
        "sell": await cold_calls(store, sell(None, redemption_id=number)),
        "link": await cold_calls(store, LinkRedemption(transaction_id=sold, redemption_id=third)),
        "void": await cold_calls(store, VoidTransaction(transaction_id=sold)),
    }
    assert calls == {
        "issue": 2,
        "redeem": 2,
        "announce": 4,
        "reverse": 4,
        "return": 4,
        "revoke": 4,
        "sell": 4,
        "link": 4,
        "void": 3,
    }


async def test_a_group_asks_no_more_often_than_its_slowest_command(
    process: Process, store: FaultyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "GROUP_DECIDE_SECONDS_MAX", 60.0)
    await defined(process)
    numbers = [await process.redeemed_of_ten("1", f"p{n}") for n in range(50)]
    sales = [sell(None, redemption_id=number, external_id=f"t-{number}") for number in numbers]
    assert await cold_calls(store, *sales, key="sale") <= 8
    assert await cold_calls(store, *(reward(f"p{n}") for n in range(50)), key="reward") <= 4
    undone = [ReturnRedemption(redemption_id=number) for number in numbers]
    assert await cold_calls(store, *undone, key="return") <= 6


async def test_states_known_already_are_not_read_again(
    process: Process, store: FaultyStore
) -> None:
    await defined(process)
    await process.issued(value="100")
    await process.redeemed("1")
    store.calls.clear()
    await asyncio.gather(*(process.send(redeem("1")) for _ in range(50)))
    assert store.calls == ["append"]


async def test_a_sale_and_its_receipt_are_loaded_at_once(
    process: Process, store: FaultyStore
) -> None:
    """A stream that is missed costs the group another pass."""
    await process.sold(receipt_ref="0042")
    store.calls.clear()
    await process.sold("p-2", external_id="t-2", receipt_ref="0043")
    assert store.calls.count("payloads") == 1
