"""Which partition an event belongs to: one key, one partition, for ever, in every client.

The hash is our own code because a client's default may change, or (aiokafka 0.14) index into a
list made from a set. It is the murmur2 of Kafka's Java client, so producers and joins elsewhere
that use their `murmur2` partitioner agree with us.
"""

import struct
from functools import lru_cache

from schemas.envelope import Recorded

ACCOUNT_PREFIX = "account-"
KEYS_REMEMBERED_MAX = 65_536

_MASK = 0xFFFFFFFF
_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995


def key_of(recorded: Recorded) -> str:
    """The record key: the profile for account streams, else the stream id.

    It depends on nothing but the stream id, so a stream never changes its partition.
    """
    stream_id = recorded.stream_id
    if stream_id.startswith(ACCOUNT_PREFIX) and len(stream_id) > len(ACCOUNT_PREFIX):
        return stream_id[len(ACCOUNT_PREFIX) :]
    return stream_id


def partition_of(key: str, partitions: int) -> int:
    """The partition (0 … partitions - 1) of a key; the number of partitions is fixed per topic."""
    if partitions < 1:
        raise ValueError(f"a topic has at least one partition, not {partitions}")
    return _positive_hash(key) % partitions


def murmur2(data: bytes) -> int:
    """The unsigned 32-bit murmur2 of Kafka's Java client (`Utils.murmur2`)."""
    length = len(data)
    words = length // 4
    value = _SEED ^ length
    for word in struct.unpack_from(f"<{words}I", data):
        mixed = (word * _MULTIPLIER) & _MASK
        mixed ^= mixed >> 24
        value = ((value * _MULTIPLIER) & _MASK) ^ ((mixed * _MULTIPLIER) & _MASK)
    rest = data[words * 4 :]
    if rest:
        value ^= int.from_bytes(rest, "little")
        value = (value * _MULTIPLIER) & _MASK
    value ^= value >> 13
    value = (value * _MULTIPLIER) & _MASK
    return value ^ (value >> 15)


@lru_cache(maxsize=KEYS_REMEMBERED_MAX)
def _positive_hash(key: str) -> int:
    # The Java client drops the sign bit instead of taking the absolute value.
    return murmur2(key.encode()) & 0x7FFFFFFF
