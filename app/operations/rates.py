"""How fast positions move, from one look of this process to a later one."""

import time
from collections.abc import Callable, Hashable
from typing import Final

from api.operations import Rate

INTERVAL_SECONDS_MIN: Final = 2.0
"""Looks closer together than this share an interval: many may look at the same time."""


class Rates:
    """The rate of each thing whose position is told here now and then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds, from anywhere."""
        self._clock = clock
        self._begun: dict[Hashable, tuple[int, float]] = {}
        self._measured: dict[Hashable, Rate] = {}

    def of(self, name: Hashable, position: int) -> Rate | None:
        """The rate over the last interval; None on the first look, and where a position fell."""
        now = self._clock()
        before, since = self._begun.get(name, (position, now))
        if name not in self._begun or position < before:
            self._begun[name] = (position, now)
            self._measured.pop(name, None)
        elif now - since >= INTERVAL_SECONDS_MIN:
            self._begun[name] = (position, now)
            self._measured[name] = Rate((position - before) / (now - since), now - since)
        return self._measured.get(name)
