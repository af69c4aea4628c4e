"""`Ledger-Wait-For: <position>`: a list that is not older than a command's answer.

Lists over many profiles lag behind the log by milliseconds. Whoever has just sent a command names
the `Ledger-Position` of its answer, and what that command touched is caught up first.
"""

import re
from typing import Final

from fastapi import Request

from api.problems import Refused
from api.services import Services
from projections.projection import Projection

POSITION: Final = re.compile(r"[0-9]{1,16}")


async def wait_for(request: Request, services: Services, projection: Projection) -> None:
    """Catch up with the command at the position the request names.

    Raises:
        Refused: 422, the log has no such position; 503, an event of that command can't be shown.
    """
    text = request.headers.get("ledger-wait-for")
    if text is None:
        return
    if POSITION.fullmatch(text) is None or int(text) < 1:
        raise Refused.invalid({"Ledger-Wait-For": ["Give the Ledger-Position of an answer."]})
    found = await services.store.read_log(after_position=int(text) - 1, limit=1)
    if not found:
        raise Refused.invalid({"Ledger-Wait-For": ["The log has no such position yet."]})
    (last,) = found
    first = last.position - last.batch_index
    events = await services.store.read_log(after_position=first - 1, limit=last.batch_size)
    streams = {event.stream_id for event in events if projection.follows(event.stream_id)}
    if not streams:
        return
    caught_up = await services.reads.catch_up_many(projection, sorted(streams))
    if any(fresh.stale_code for fresh in caught_up.values()):
        raise Refused(
            503,
            "read_model_parked",
            None,
            "An event before that one can't be folded, so this list can't show it yet.",
            headers={"Retry-After": "1"},
        )
