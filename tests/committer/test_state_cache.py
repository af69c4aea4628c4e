"""The cache of folded streams: bounded, and read again where it has let go."""

import asyncio

import pytest
from committer.processes import FaultyStore, Process, balance, defined, redeem, reward

from ledger.event_store.port import StreamHead
from ledger.group import Versioned
from ledger.state_cache import StateCache

A, B, C, D = (f"account-{name}" for name in "abcd")


def read_since(store: FaultyStore) -> bool:
    """Whether the store was asked since the last time this was."""
    asked = "payloads" in store.calls
    store.calls.clear()
    return asked


async def test_what_was_not_used_for_longest_goes_first(store: FaultyStore) -> None:
    cache = StateCache(store, streams_max=3)
    await cache.load([A, B, C])
    await cache.load([A])
    assert read_since(store)
    await cache.load([D])
    assert read_since(store)
    await cache.load([A, C, D])
    assert not read_since(store)
    await cache.load([B])
    assert read_since(store), "B had gone"


async def test_what_a_commit_made_counts_as_used(store: FaultyStore) -> None:
    cache = StateCache(store, streams_max=2)
    await cache.load([A, B])
    kept = Versioned("as committed", StreamHead(7, 9))
    cache.keep(A, kept)
    cache.keep(C, kept)
    read_since(store)
    assert await cache.load([A, C]) == {A: kept, C: kept}
    assert not read_since(store)


async def test_a_group_may_need_more_than_is_kept(store: FaultyStore) -> None:
    cache = StateCache(store, streams_max=2)
    assert set(await cache.load([A, B, C, D])) == {A, B, C, D}
    read_since(store)
    await cache.load([C, D])
    assert not read_since(store)
    await cache.load([A])
    assert read_since(store)


async def test_a_committer_that_keeps_hardly_anything_decides_the_same(
    process: Process, store: FaultyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process.committer, "_states", StateCache(store, streams_max=1))
    await defined(process)
    profiles = [f"p{n}" for n in range(5)]
    await asyncio.gather(*(process.send(reward(profile)) for profile in profiles))
    for amount, left in (("4", 600), ("5", 100)):
        answers = await asyncio.gather(*(process.send(redeem(amount, p)) for p in profiles))
        assert [balance(answer) for answer in answers] == [left] * 5
