"""Commands that are answered before they are decided: they wait on Kafka, and their outcome comes
on `ledger.outcomes`.
"""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from fastapi import Request, Response

from api.commanding import idempotency_key
from api.json_body import write_json
from api.parameters import DRY_RUN, flag
from api.problems import Refused
from api.services import services_of
from api.tokens import Caller
from ledger.personal.in_transit import packed
from ledger.personal.naming import resolved
from schemas.commands import Command

SOURCE: Final = "/ledger/queue/"
"""Before the client's name: an Idempotency-Key is the client's own."""


async def queued(
    request: Request, caller: Caller, command: Command, key_of: Callable[[Any], str | None]
) -> Response:
    """Answer as soon as the command is safe. Commands with one key keep their order.

    Raises:
        Refused: 503, it is not known to be safe; 422, it names its profile by nobody's identity.
    """
    services = services_of(request)
    (command,) = await resolved([command], services.vault, services.store)
    if getattr(command, "profile_id_handle", None) is not None:
        sentence = "No profile is known by this, or more than one."
        raise Refused(422, "profile_not_found", None, sentence, {"profile_id": [sentence]})
    command_id = idempotency_key(request) or str(uuid4())
    source = SOURCE + quote(caller.client, safe="")
    if flag(request, DRY_RUN.name):
        return _answer(None, source)
    safe = await packed(command, f"{source} {command_id}", services.vault, services.store)
    try:
        if services.queue is None:
            raise ConnectionError("no Kafka is configured")
        await services.queue.put(
            key=key_of(command),
            id=command_id,
            source=source,
            type=type(command).__name__,
            time=services.clock(),
            content=safe.command.model_dump_json(by_alias=True, exclude_unset=True).encode(),
            personal=safe.personal,
        )
    except ConnectionError:
        raise Refused(
            503,
            "queue_unavailable",
            None,
            "Kafka gave no answer. Repeat it with the same Idempotency-Key: it is done once then.",
            headers={"Retry-After": "1"},
        ) from None
    return _answer(command_id, source)


def _answer(command_id: str | None, source: str) -> Response:
    content = {"message": "OK", "id": command_id, "source": source}
    return Response(write_json(content), media_type="application/json")
