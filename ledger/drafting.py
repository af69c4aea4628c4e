"""A decision over many streams in the making: each step sees what those before it have written."""

from collections.abc import Iterable
from typing import Any

from ledger.account.rewards import facts_due
from ledger.decider import Circumstances, Decision, View
from ledger.streams import fold_state, initial_state
from schemas.events import Event


class Draft:
    """A view of the streams as they will be. It lives as long as one decision."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._states: dict[str, Any] = {}
        self._written: list[tuple[str, Event]] = []

    def state(self, stream_id: str) -> Any:
        """The state of a stream after what has been written so far."""
        if stream_id not in self._states:
            self._states[stream_id] = self._view.state(stream_id)
        return self._states[stream_id]

    def stream_named(self, kind: str, key: str) -> str | None:
        """See `View`."""
        return self._view.stream_named(kind, key)

    def begin(self, stream_id: str) -> None:
        """This stream is new: there is nothing to load."""
        self._states[stream_id] = initial_state(stream_id)

    def write(self, stream_id: str, *events: Event) -> None:
        """More events of one stream."""
        if events:
            self._states[stream_id] = fold_state(self.state(stream_id), events)
        self._written.extend((stream_id, event) for event in events)

    def add(self, written: Iterable[tuple[str, Event]]) -> None:
        """What another decision writes."""
        for stream_id, event in written:
            self.write(stream_id, event)

    def write_on_account(self, stream_id: str, at: Circumstances, *events: Event) -> None:
        """More events of an account, after what is due there."""
        self.write(stream_id, *facts_due(self.state(stream_id), at.now), *events)

    def decision(self, stream_id: str) -> Decision:
        """All that was written; the answer is about one stream."""
        return Decision(stream_id, tuple(self._written))
