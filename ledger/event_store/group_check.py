"""What no store accepts, whatever it holds: both adapters ask here before they write."""

from collections.abc import Iterator

from ledger.event_store.port import APPEND_EVENTS_MAX, EVENT_BYTES_MAX, Append


def check_group(group: Append) -> None:
    """Refuse a group that could never be written.

    Raises:
        ValueError: an event is too large, or the group contradicts itself.
    """
    events = [event for unit in group.units for event in unit.events]
    if len(events) > APPEND_EVENTS_MAX:
        raise ValueError(f"a group holds at most {APPEND_EVENTS_MAX} events")
    if any(len(event.payload) > EVENT_BYTES_MAX for event in events):
        raise ValueError(f"an event holds at most {EVENT_BYTES_MAX} bytes")
    versions = {stream_id: head.version for stream_id, head in group.expected.items()}
    for event in events:
        if event.stream_id not in versions:
            raise ValueError(f"the group writes to {event.stream_id} without expecting its head")
        versions[event.stream_id] += 1
        if event.stream_version != versions[event.stream_id]:
            raise ValueError(f"the versions of {event.stream_id} are not consecutive")
    _refuse_twice(f"{c.kind} {c.key}" for unit in group.units for c in unit.claims)
    _refuse_twice(f"{u.record.client} {u.record.key}" for u in group.units if u.record)


def _refuse_twice(names: Iterator[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"the group claims {name!r} twice")
        seen.add(name)
