"""How fresh what a read shows is, and whose it is."""

from dataclasses import dataclass
from typing import Any

from ledger.past import Cut
from projections.reading import Freshness
from schemas.times import utc_text


@dataclass(frozen=True, slots=True)
class FreshProfile(Freshness):
    """A profile's rows are no older than its last event; `profile_id` names whose they are."""

    profile_id: str = ""
    merged_into: str | None = None
    """The same, where it is another than was asked for."""
    cut: Cut | None = None
    """As of when they are, where that is not now."""


def told(fresh: Freshness) -> dict[str, Any]:
    """What an answer's `meta` says of it: as of when it is, that it is stale, that the profile is
    another now."""
    meta: dict[str, Any] = {}
    if isinstance(fresh, FreshProfile) and fresh.cut is not None:
        meta["as_of"] = utc_text(fresh.cut.at)
        meta["time"] = "recorded" if fresh.cut.recorded else "occurred"
    if isinstance(fresh, FreshProfile) and fresh.merged_into is not None:
        meta["merged_into"] = fresh.merged_into
    if fresh.stale_code is not None:
        meta |= {"stale": True, "code": fresh.stale_code}
    return meta
