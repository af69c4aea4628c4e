"""What projections count."""

from prometheus_client import Counter

EVENTS_APPLIED = Counter(
    "ledger_projection_events_applied_total", "Events folded into a read model", ["projection"]
)
GAPS_FILLED = Counter(
    "ledger_projection_gaps_filled_total",
    "Events a record jumped over and the log had to give",
    ["projection"],
)
STREAMS_PARKED = Counter(
    "ledger_projection_streams_parked_total",
    "Streams that wait at an event that can't be folded",
    ["projection"],
)
