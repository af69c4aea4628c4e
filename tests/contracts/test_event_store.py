"""One contract, two adapters. Expectations are written by hand, never computed by shared code."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from ledger.event_store import chain
from ledger.event_store.memory import MemoryEventStore
from ledger.event_store.port import (
    EVENT_BYTES_MAX,
    Append,
    Claim,
    CommandRecord,
    Committed,
    Conflicted,
    EventStore,
    StreamHead,
)
from ledger.event_store.postgres import PostgresEventStore
from tests.contracts.groups import EMPTY, NOW, event, group, unit


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[EventStore]:
    if request.param == "memory":
        yield MemoryEventStore()
        return
    postgres = await PostgresEventStore.connect(database_url)
    yield postgres
    await postgres.close()


async def test_positions_are_dense_over_all_streams(store: EventStore) -> None:
    first = await store.append(group(unit(event("a", 1), event("b", 1)), a=EMPTY, b=EMPTY))
    second = await store.append(group(unit(event("a", 2)), a=StreamHead(1, 1)))
    assert isinstance(first, Committed)
    assert isinstance(second, Committed)
    assert (first.first_position, first.event_count) == (1, 2)
    assert (second.first_position, second.event_count) == (3, 1)
    assert second.recorded_at >= first.recorded_at
    assert [e.position for e in await store.read_log(after_position=1, limit=9)] == [2, 3]
    assert await store.head() == 3


async def test_an_event_is_read_as_it_was_written(store: EventStore) -> None:
    written = unit(
        event(payload=b"\x00\xff {}", type="É"), correlation_id=uuid4(), causation_id=uuid4()
    )
    await store.append(group(written, a=EMPTY))
    (read,) = await store.read_stream("a")
    assert (read.stream_id, read.stream_version, read.type) == ("a", 1, "É")
    assert (read.payload, read.occurred_at, read.actor) == (b"\x00\xff {}", NOW, "till-1")
    assert (read.command_id, read.correlation_id, read.causation_id) == (
        written.command_id, written.correlation_id, written.causation_id
    )  # fmt: skip
    assert (read.batch_index, read.batch_size) == (0, 1)
    assert list((await store.read_streams(["a", "none"]))["none"]) == []
    whole = (await store.read_streams(["a"]))["a"]
    lean = (await store.payloads({"a": 0}))["a"]
    assert [tuple(each) for each in lean] == [
        tuple(getattr(event, name) for name in each._fields)
        for event, each in zip(whole, lean, strict=True)
    ]


async def test_the_last_event_of_a_stream_is_read_alone(store: EventStore) -> None:
    events = (event("a", 1), event("b", 1), event("a", 2, type="Last"))
    await store.append(group(unit(*events), a=EMPTY, b=EMPTY))
    last = await store.last_events(["b", "a", "none"])
    assert {name: (read.stream_version, read.position) for name, read in last.items()} == {
        "a": (2, 3),
        "b": (1, 2),
    }
    assert last["a"].type == "Last"
    assert await store.last_events([]) == {}


async def test_a_stream_that_moved_on_is_a_conflict_and_nothing_is_written(
    store: EventStore,
) -> None:
    await store.append(group(unit(event()), a=EMPTY))
    result = await store.append(group(unit(event("b", 1)), unit(event("a", 1)), a=EMPTY, b=EMPTY))
    assert result == Conflicted(streams={"a": StreamHead(1, 1)})
    assert await store.head() == 1


async def test_the_same_version_at_another_position_is_a_conflict(store: EventStore) -> None:
    """A balance was overdrawn where versions alone were compared."""
    await store.append(group(unit(event("other", 1)), other=EMPTY))
    await store.append(group(unit(event("a", 1)), a=EMPTY))
    result = await store.append(group(unit(event("a", 2)), a=StreamHead(1, 1)))
    assert result == Conflicted(streams={"a": StreamHead(1, 2)})
    assert await store.head() == 2


async def test_a_stream_only_read_is_checked_as_well(store: EventStore) -> None:
    await store.append(group(unit(event("programme", 1)), programme=EMPTY))
    result = await store.append(group(unit(), programme=EMPTY))
    assert result == Conflicted(streams={"programme": StreamHead(1, 1)})


async def test_a_key_recorded_before_is_a_conflict_with_the_stored_record(
    store: EventStore,
) -> None:
    record = CommandRecord("till", "k", b"f", b"{}")
    await store.append(group(unit(event("x", 1)), x=EMPTY))
    await store.append(group(unit(event("a", 1), event("a", 2), record=record), a=EMPTY))
    result = await store.append(group(unit(event("b", 1), record=record), b=EMPTY))
    stored = replace(record, first_position=2, event_count=2)
    assert result == Conflicted(records={("till", "k"): stored})
    assert await store.records([("till", "k"), ("till", "other")]) == {("till", "k"): stored}
    assert await store.head() == 3


async def test_a_record_without_events_says_where_the_log_stood(store: EventStore) -> None:
    record = CommandRecord("till", "k", b"f", b"no")
    result = await store.append(group(unit(record=record), a=EMPTY))
    assert isinstance(result, Committed)
    assert result.event_count == 0
    assert await store.records([("till", "k")]) == {("till", "k"): record}


async def test_a_name_taken_is_a_conflict_with_the_standing_claim(store: EventStore) -> None:
    claim = Claim("reward", "17", "a", b"f")
    await store.append(group(unit(event(), claims=(claim,)), a=EMPTY))
    rival = Claim("reward", "17", "b")
    result = await store.append(group(unit(event("b"), claims=(rival,)), b=EMPTY))
    assert result == Conflicted(claims={("reward", "17"): claim})
    assert await store.claims([("reward", "17"), ("reward", "18")]) == {("reward", "17"): claim}


async def test_a_stream_may_claim_its_own_name_again(store: EventStore) -> None:
    first = Claim("reward", "17", "a", b"f")
    await store.append(group(unit(event(), claims=(first,)), a=EMPTY))
    again = Claim("reward", "17", "a", b"other")
    result = await store.append(group(unit(event("a", 2), claims=(again,)), a=StreamHead(1, 1)))
    assert isinstance(result, Committed)
    assert await store.claims([("reward", "17")]) == {("reward", "17"): first}


async def test_one_group_may_claim_a_name_twice_for_the_same_stream(store: EventStore) -> None:
    claim = Claim("reward", "17", "a", b"f")
    units = unit(event(), claims=(claim, claim)), unit(event("a", 2), claims=(claim,))
    assert isinstance(await store.append(group(*units, a=EMPTY)), Committed)
    assert await store.claims([("reward", "17")]) == {("reward", "17"): claim}


async def test_one_group_may_not_claim_a_name_for_two_streams(store: EventStore) -> None:
    rivals = [unit(claims=(Claim("reward", "17", stream),)) for stream in "ab"]
    with pytest.raises(ValueError, match="two streams"):
        await store.append(group(*rivals))
    alike = [unit(claims=(Claim(*name, "a"),)) for name in (("a b", "c"), ("a", "b c"))]
    assert isinstance(await store.append(group(*alike)), Committed)


async def test_a_released_name_is_free_for_another_stream(store: EventStore) -> None:
    name = ("identity", "abc")
    kept = Claim("identity", "other", "a")
    await store.append(group(unit(event(), claims=(Claim(*name, "a"), kept)), a=EMPTY))
    released = unit(event("a", 2), releases=(name, ("identity", "nobody's")))
    assert isinstance(await store.append(group(released, a=StreamHead(1, 1))), Committed)
    assert await store.claims([name, ("identity", "other")]) == {("identity", "other"): kept}
    taken = Claim(*name, "b")
    assert isinstance(
        await store.append(group(unit(event("b"), claims=(taken,)), b=EMPTY)), Committed
    )
    assert await store.claims([name]) == {name: taken}


async def test_a_stream_lets_go_of_all_its_identities_and_of_nothing_else(
    store: EventStore,
) -> None:
    mine = [Claim("identity", key, "a") for key in ("x", "y")]
    kept = [Claim("reward", "17", "a"), Claim("identity", "z", "b")]
    units = unit(event(), event("b"), claims=(*mine, *kept))
    await store.append(group(units, a=EMPTY, b=EMPTY))
    forgetting = unit(event("a", 2), forgets=("a", "nobody"))
    assert isinstance(await store.append(group(forgetting, a=StreamHead(1, 1))), Committed)
    names = [(each.kind, each.key) for each in (*mine, *kept)]
    assert list((await store.claims(names)).values()) == kept


async def test_one_group_does_not_claim_an_identity_for_a_stream_that_lets_go_of_all(
    store: EventStore,
) -> None:
    units = (
        unit(event(), claims=(Claim("identity", "x", "a"),)),
        unit(event("a", 2), forgets=("a",)),
    )
    with pytest.raises(ValueError, match="claims and releases"):
        await store.append(group(*units, a=EMPTY))


async def test_a_conflict_releases_nothing(store: EventStore) -> None:
    claim = Claim("identity", "abc", "a")
    await store.append(group(unit(event(), claims=(claim,)), a=EMPTY))
    late = unit(event("a", 1), releases=(("identity", "abc"),))
    assert isinstance(await store.append(group(late, a=EMPTY)), Conflicted)
    assert await store.claims([("identity", "abc")]) == {("identity", "abc"): claim}


async def test_one_group_does_not_claim_and_release_a_name(store: EventStore) -> None:
    """Which of the two came first would be the store's guess."""
    claim = Claim("identity", "abc", "a")
    units = unit(event(), claims=(claim,)), unit(event("a", 2), releases=(("identity", "abc"),))
    with pytest.raises(ValueError, match="claims and releases"):
        await store.append(group(*units, a=EMPTY))


async def test_a_conflict_carries_all_that_stands_in_the_way(store: EventStore) -> None:
    record = CommandRecord("till", "k é", b"\x00f", b"\xff{}")
    claims = Claim("reward", "17", "a", b"\x00"), Claim("handle", "b", "a")
    await store.append(group(unit(event(), record=record, claims=claims), a=EMPTY))
    rivals = tuple(replace(claim, stream_id="b") for claim in claims)
    result = await store.append(group(unit(record=record, claims=rivals), a=EMPTY, b=EMPTY))
    assert result == Conflicted(
        {"a": StreamHead(1, 1)},
        {("till", "k é"): replace(record, first_position=1, event_count=1)},
        {(claim.kind, claim.key): claim for claim in claims},
    )


async def test_each_record_says_which_events_are_its_own(store: EventStore) -> None:
    one, none, two = (CommandRecord("till", key, b"f", b"{}") for key in ("1", "0", "2"))
    await store.append(
        group(
            unit(event("x")),
            unit(event("a"), record=one),
            unit(record=none),
            unit(event("a", 2), event("a", 3), record=two),
            a=EMPTY,
            x=EMPTY,
        )
    )
    records = (await store.records([("till", key) for key in "012"])).values()
    assert {(r.key, r.first_position, r.event_count) for r in records} == {
        ("1", 2, 1), ("0", 2, 0), ("2", 3, 2),
    }  # fmt: skip


async def test_who_wrote_an_event_is_found_by_the_first_of_its_command(store: EventStore) -> None:
    none, two = (CommandRecord("till", key, b"f", b"{}") for key in ("0", "2"))
    units = unit(event()), unit(record=none), unit(event("a", 2), event("a", 3), record=two)
    await store.append(group(*units, a=EMPTY))
    stored = replace(two, first_position=2, event_count=2)
    assert await store.records_of([1, 2, 3, 99]) == {2: stored}
    assert await store.records_of([]) == {}


async def test_a_group_submitted_again_is_answered_as_the_first_time(store: EventStore) -> None:
    same = group(unit(event(), record=CommandRecord("till", "k", b"f", b"{}")), a=EMPTY)
    first = await store.append(same)
    assert await store.append(same) == first
    assert await store.head() == 1


@pytest.mark.parametrize(
    "malformed",
    [
        group(unit(event(payload=b"x" * (EVENT_BYTES_MAX + 1))), a=EMPTY),
        group(
            *(unit(event(version=n, payload=b"x" * EVENT_BYTES_MAX)) for n in range(1, 33)),
            unit(event(version=33)),
            a=EMPTY,
        ),
        group(unit(event(version=2)), a=EMPTY),
        group(unit(event(occurred_at=NOW.replace(tzinfo=None))), a=EMPTY),
        group(unit(event(occurred_at=datetime.max.replace(tzinfo=UTC))), a=EMPTY),
        group(unit(event())),
    ],
)
async def test_a_malformed_group_is_refused_whole(store: EventStore, malformed: Append) -> None:
    with pytest.raises(
        ValueError, match=r"holds at most|no instant|not consecutive|without expecting"
    ):
        await store.append(malformed)
    assert await store.head() == 0


async def test_identifiers_are_never_handed_out_twice(store: EventStore) -> None:
    blocks = [await store.new_ids(count) for count in (3, 1000, 1, 2000, 5)]
    handed_out = [number for block in blocks for number in block]
    assert len(handed_out) == len(set(handed_out)) == 3009


async def test_the_chain_verifies_and_shows_the_first_change(store: EventStore) -> None:
    for version in range(1, 6):
        head = StreamHead(version - 1, 2 * version - 3) if version > 1 else EMPTY
        more = event("a", version), event(f"b{version}", 1)
        await store.append(group(unit(*more), a=head, **{f"b{version}": EMPTY}))
    log = list(await store.read_log(after_position=0, limit=100))
    incarnation = await store.incarnation()
    assert len(log) == 10
    assert chain.verify(log, incarnation) is None
    assert chain.verify([*log[:3], replace(log[3], payload=b"{}"), *log[4:]], incarnation) == 4
    assert chain.verify([*log[:5], *log[6:]], incarnation) == 6
    assert chain.verify(log, uuid4()) == 1
