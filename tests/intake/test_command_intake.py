"""Batches of commands through a real committer: outcomes, order, repeats, faults."""

from datetime import UTC, datetime
from typing import Any

import pytest
from committer.processes import NOW, FaultyStore, Process, account_of
from intake.batches import PlainReception, Published, Topic

from consumers.command_intake import CommandIntake, IntakeSettings
from ledger.event_store.port import EventStoreUnavailable

DEFINITION = {"name": "B", "handle": "birthday", "value": "10", "type": "birthday", "period": 30}
REWARD = {"profile_id": "p", "reward_definition_handle": "birthday"}
SALE = {
    "profile_id": "p",
    "external_id": "t-1",
    "total": "10",
    "transacted_at": "2031-01-01 00:00:00",
    "timezone": "UTC",
    "items": [{"name": "x", "quantity": "1", "price_current": "9.99", "price_sell": "9.99"}],
}


@pytest.fixture
def intake(process: Process, published: Published) -> CommandIntake:
    settings = IntakeSettings("nowhere:9092", retry_seconds_min=0.001, retry_seconds_max=0.01)
    return CommandIntake(
        process.committer,
        PlainReception(),
        published,
        clock=lambda: process.now,
        settings=settings,
    )


def redeem(amount: str, **more: Any) -> dict[str, Any]:
    return {"profile_id": "p", "amount": amount} | more


def a_topic_with_ten() -> Topic:
    topic = Topic()
    topic.add("AddRewardDefinition", DEFINITION)
    topic.add("IssueReward", REWARD)
    return topic


async def test_the_four_steps_come_over_kafka(
    intake: CommandIntake, published: Published, process: Process
) -> None:
    topic = Topic()
    topic.add("AddRewardDefinition", DEFINITION)
    topic.add("IssueReward", REWARD)
    topic.add("MakeRedemption", redeem("10", external_id="r-1"))
    topic.add("RecordTransaction", SALE)
    names = {"transaction_external_id": "t-1", "redemption_external_id": "r-1"}
    topic.add("LinkRedemption", names)
    await intake.take(topic.records)
    assert published.said == ["accepted"] * 5
    (made,) = published.outcomes[2]["events"]
    assert made["type"] == "RedemptionMade"
    account = await account_of(process.committer._store)  # type: ignore[arg-type]
    assert account.redemptions[made["ids"]["redemption_id"]].transaction_id is not None


async def test_a_refusal_has_its_code_and_the_rest_goes_on(
    intake: CommandIntake, published: Published
) -> None:
    topic = a_topic_with_ten()
    topic.add("MakeRedemption", redeem("11"))
    topic.add("MakeRedemption", redeem("10"))
    await intake.take(topic.records)
    assert published.said == ["accepted", "accepted", "insufficient_balance", "accepted"]
    refused = published.outcomes[2]
    assert refused["facts"] == {"available": 10}
    assert refused["status"] == 422
    assert refused["command"]["id"] == "m-2"


async def test_commands_of_one_key_are_decided_in_their_order(
    intake: CommandIntake, published: Published
) -> None:
    topic = a_topic_with_ten()
    for amount in ("4", "7", "6"):
        topic.add("MakeRedemption", redeem(amount))
    await intake.take(topic.records[:1])
    await intake.take(topic.records[1:])
    assert published.said[2:] == ["accepted", "insufficient_balance", "accepted"]


async def test_a_batch_that_comes_again_doubles_nothing_and_says_the_same(
    intake: CommandIntake, published: Published, process: Process
) -> None:
    topic = a_topic_with_ten()
    topic.add("MakeRedemption", redeem("3.99"))
    topic.add("MakeRedemption", redeem("40"))
    await intake.take(topic.records)
    await intake.take(topic.records)
    first, second = published.outcomes[:4], published.outcomes[4:]
    assert [each["replayed"] for each in second] == [True] * 4
    assert [each | {"replayed": False} for each in second] == first
    assert first[3]["facts"] == {"available": 6.01}
    account = await account_of(process.committer._store)  # type: ignore[arg-type]
    assert account.available_minor(NOW) == 601


async def test_the_same_id_twice_in_one_batch_is_one_command(
    intake: CommandIntake, published: Published, process: Process
) -> None:
    topic = a_topic_with_ten()
    topic.add("MakeRedemption", redeem("4"), id="one")
    topic.add("MakeRedemption", redeem("4"), id="one", key="another key")
    await intake.take(topic.records[:2])
    await intake.take(topic.records[2:])
    assert published.said == ["accepted"] * 4
    account = await account_of(process.committer._store)  # type: ignore[arg-type]
    assert account.available_minor(NOW) == 600


async def test_an_id_with_another_content_is_refused(
    intake: CommandIntake, published: Published
) -> None:
    topic = a_topic_with_ten()
    topic.add("MakeRedemption", redeem("4"), id="one")
    topic.add("MakeRedemption", redeem("5"), id="one")
    await intake.take(topic.records)
    assert published.said[-1] == "idempotency_key_reused"


async def test_the_same_id_of_another_source_is_another_command(
    intake: CommandIntake, published: Published, process: Process
) -> None:
    topic = a_topic_with_ten()
    topic.add("MakeRedemption", redeem("4"), id="one")
    topic.add("MakeRedemption", redeem("4"), id="one", source="/other-till")
    other = Topic("ledger.commands.webshop")
    other.add("MakeRedemption", redeem("1"), id="one")
    await intake.take([*topic.records, *other.records])
    assert published.said == ["accepted"] * 5
    account = await account_of(process.committer._store)  # type: ignore[arg-type]
    assert account.available_minor(NOW) == 100


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("Teleport", {}, "unknown_command"),
        ("RecordDueFacts", {"profile_id": "p"}, "unknown_command"),
        ("MakeRedemption", {}, "validation_failed"),
        ("MakeRedemption", {"profile_id": "p", "amount": "-1"}, "validation_failed"),
        ("MakeRedemption", {"profile_id": "p", "amount": 1, "colour": "red"}, "validation_failed"),
        ("RedemptionMade", {"profile_id": "p", "amount": 1}, "validation_failed"),
    ],
)
async def test_what_is_no_command_of_ours_is_refused_in_words(
    intake: CommandIntake, published: Published, kind: str, data: dict[str, Any], code: str
) -> None:
    topic = a_topic_with_ten()
    topic.add(kind, data)
    topic.add("MakeRedemption", redeem("1"))
    await intake.take(topic.records)
    assert published.said == ["accepted", "accepted", code, "accepted"]
    assert published.dead_letters == []


async def test_the_fields_at_fault_are_named(intake: CommandIntake, published: Published) -> None:
    topic = Topic()
    topic.add("MakeRedemption", {"profile_id": "p", "amount": "-1"})
    await intake.take(topic.records)
    assert list(published.outcomes[0]["errors"]) == ["amount"]


async def test_what_cannot_be_read_goes_to_the_dead_letters_and_the_rest_goes_on(
    intake: CommandIntake, published: Published
) -> None:
    topic = a_topic_with_ten()
    topic.add("MakeRedemption", b"\xff\xfe no JSON")
    topic.add("MakeRedemption", redeem("1"), id="")
    topic.add("MakeRedemption", redeem("1"))
    await intake.take(topic.records)
    assert published.said == ["accepted"] * 3
    first, second = (dict(letter.headers) for letter in published.dead_letters)
    assert b"UTF-8" in first["ledger_reason"]
    assert first["ledger_offset"] == b"2"
    assert b"id" in second["ledger_reason"]
    assert published.dead_letters[0].value == b"sealed 10 bytes"


async def test_a_fact_is_dated_when_it_happened(
    intake: CommandIntake, published: Published, process: Process
) -> None:
    topic = a_topic_with_ten()
    issued = REWARD | {"issued_at": "2030-12-01 00:00:00", "timezone": "UTC"}
    topic.add("RewardIssued", issued, time="2030-12-01T00:00:00Z")
    topic.add("RedemptionMade", redeem("3"), time="2030-12-24T18:00:00+00:00")
    await intake.take(topic.records)
    assert published.said == ["accepted"] * 4
    log = await process.committer._store.read_log(after_position=0, limit=100)
    made = next(each for each in log if each.type == "RedemptionMade")
    assert made.occurred_at == datetime(2030, 12, 24, 18, tzinfo=UTC)


async def test_a_fact_from_the_future_is_refused(
    intake: CommandIntake, published: Published
) -> None:
    topic = a_topic_with_ten()
    topic.add("RedemptionMade", redeem("3"), time="2031-01-01T00:06:00Z")
    await intake.take(topic.records)
    assert published.said[-1] == "validation_failed"


async def test_a_store_that_is_away_is_asked_again_in_the_order_of_the_key(
    intake: CommandIntake, published: Published, process: Process
) -> None:
    topic = a_topic_with_ten()
    await intake.take(topic.records[:1])
    await intake.take(topic.records[1:])
    store = process.committer._store
    assert isinstance(store, FaultyStore)
    store.answers_to_lose = 1
    for amount in ("4", "7", "6"):
        topic.add("MakeRedemption", redeem(amount))
    await intake.take(topic.records[2:])
    assert published.said[2:] == ["accepted", "insufficient_balance", "accepted"]


async def test_outcomes_that_cannot_be_published_fail_the_batch(
    intake: CommandIntake, published: Published
) -> None:
    """So its offsets stay where they are; the next time everything is a repeat."""
    topic = a_topic_with_ten()
    published.faults = 1
    with pytest.raises(ConnectionError):
        await intake.take(topic.records)
    await intake.take(topic.records)
    assert published.said == ["accepted"] * 2


async def test_unreachable_for_a_while_is_not_an_answer(
    intake: CommandIntake, published: Published, process: Process
) -> None:
    store = process.committer._store
    assert isinstance(store, FaultyStore)
    reads = store.records
    left = 3

    async def records(keys: Any) -> Any:
        nonlocal left
        left -= 1
        if left >= 0:
            raise EventStoreUnavailable
        return await reads(keys)

    topic = a_topic_with_ten()
    await intake.take(topic.records[:1])
    store.records = records  # type: ignore[method-assign]
    await intake.take(topic.records[1:])
    assert published.said == ["accepted"] * 2
    assert intake.last_error is not None
