"""Every way of looking, one after the other, and the best of what they find."""

from collections.abc import Sequence
from typing import Final

from api.search import log, people, records
from api.search.asking import KINDS, Asked, Hit

SHOWN_MAX: Final = 20


async def found_for(asked: Asked) -> Sequence[Hit]:
    """What a text may mean, best first: each thing once, by the best of the names it has."""
    found = [*await people.found(asked), *await records.found(asked), *await log.found(asked)]
    best: dict[tuple[str, int | str], Hit] = {}
    for hit in found:
        known = best.get((hit.kind, hit.id))
        if known is None or hit.score > known.score:
            best[hit.kind, hit.id] = hit
    return sorted(best.values(), key=_order)[:SHOWN_MAX]


def _order(hit: Hit) -> tuple[float, int, str]:
    return -hit.score, KINDS.index(hit.kind), str(hit.id)
