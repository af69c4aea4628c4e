"""How fresh what a read shows is, and whose it is."""

from dataclasses import dataclass
from typing import Any

from projections.reading import Freshness


@dataclass(frozen=True, slots=True)
class FreshProfile(Freshness):
    """A profile's rows are no older than its last event; `profile_id` names whose they are."""

    profile_id: str = ""
    merged_into: str | None = None
    """The same, where it is another than was asked for."""


def told(fresh: Freshness) -> dict[str, Any]:
    """What an answer's `meta` says of it: that it is stale, that the profile is another now."""
    meta: dict[str, Any] = {}
    if isinstance(fresh, FreshProfile) and fresh.merged_into is not None:
        meta["merged_into"] = fresh.merged_into
    if fresh.stale_code is not None:
        meta |= {"stale": True, "code": fresh.stale_code}
    return meta
