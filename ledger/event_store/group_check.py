"""What no store accepts, whatever it holds: both adapters ask here before they write."""

from datetime import UTC, datetime

from ledger.event_store.port import (
    APPEND_BYTES_MAX,
    APPEND_EVENTS_MAX,
    EVENT_BYTES_MAX,
    RELEASABLE,
    Append,
)

# The driver writes the ends of Python's calendar as infinity.
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def check_group(group: Append) -> None:
    """Refuse a group that could never be written.

    Raises:
        ValueError: the group or an event of it is too large, or the group contradicts itself.
    """
    _check_sizes(group)
    _check_instants(group)
    _check_versions(group)
    _check_names(group)


def _check_sizes(group: Append) -> None:
    payloads = [len(event.payload) for unit in group.units for event in unit.events]
    outcomes = [len(unit.record.outcome) for unit in group.units if unit.record]
    if len(payloads) > APPEND_EVENTS_MAX:
        raise ValueError(f"a group holds at most {APPEND_EVENTS_MAX} events")
    if any(size > EVENT_BYTES_MAX for size in payloads):
        raise ValueError(f"an event holds at most {EVENT_BYTES_MAX} bytes")
    if sum(payloads) + sum(outcomes) > APPEND_BYTES_MAX:
        raise ValueError(f"a group holds at most {APPEND_BYTES_MAX} bytes")


def _check_instants(group: Append) -> None:
    for unit in group.units:
        for event in unit.events:
            at = event.occurred_at
            if at.utcoffset() is None or not _FIRST < at < _LAST:
                raise ValueError(f"the event of {event.stream_id} has no instant: {at.isoformat()}")


def _check_versions(group: Append) -> None:
    versions = {stream_id: head.version for stream_id, head in group.expected.items()}
    for unit in group.units:
        for event in unit.events:
            if event.stream_id not in versions:
                raise ValueError(
                    f"the group writes to {event.stream_id} without expecting its head"
                )
            versions[event.stream_id] += 1
            if event.stream_version != versions[event.stream_id]:
                raise ValueError(f"the versions of {event.stream_id} are not consecutive")


def _check_names(group: Append) -> None:
    owners: dict[tuple[str, str], str] = {}
    keys: set[tuple[str, str]] = set()
    released = {name for unit in group.units for name in unit.releases}
    forgotten = {stream_id for unit in group.units for stream_id in unit.forgets}
    for unit in group.units:
        for claim in unit.claims:
            if owners.setdefault((claim.kind, claim.key), claim.stream_id) != claim.stream_id:
                raise ValueError(f"two streams of the group claim {claim.kind} {claim.key!r}")
            gone = claim.kind == RELEASABLE and claim.stream_id in forgotten
            if gone or (claim.kind, claim.key) in released:
                raise ValueError(f"the group claims and releases {claim.kind} {claim.key!r}")
        if unit.record:
            key = unit.record.client, unit.record.key
            if key in keys:
                raise ValueError(f"the group records the key {key} twice")
            keys.add(key)
