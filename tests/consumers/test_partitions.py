"""The partition of a key is the one the Java client would choose."""

import pytest
from aiokafka.partitioner import (
    murmur2 as murmur2_of_aiokafka,
)
from hypothesis import given
from hypothesis import strategies as st

from consumers.partitions import key_of, murmur2, partition_of
from tests.consumers.fakes import recorded

# From the Java client's own test (UtilsTest.testMurmur2), signed there.
GOLDEN = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("data", "signed"), GOLDEN.items())
def test_the_hash_is_the_java_clients(data: bytes, signed: int) -> None:
    assert murmur2(data) == signed & 0xFFFFFFFF


@given(st.binary(max_size=100))
def test_the_hash_agrees_with_another_implementation(data: bytes) -> None:
    assert murmur2(data) == murmur2_of_aiokafka(data) & 0xFFFFFFFF


@given(st.text(max_size=40), st.integers(min_value=1, max_value=1_000))
def test_a_key_has_one_partition_of_those_there_are(key: str, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions


def test_a_topic_without_partitions_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        partition_of("8f3", 0)


@pytest.mark.parametrize(
    ("stream_id", "key"),
    [
        ("account-8f3a-77", "8f3a-77"),
        ("programme-gold", "programme-gold"),
        ("account-", "account-"),
        ("accounts-8", "accounts-8"),
    ],
)
def test_accounts_go_by_profile_and_all_else_by_stream(stream_id: str, key: str) -> None:
    assert key_of(recorded(1, stream_id, 1)) == key
