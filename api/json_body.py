"""JSON bodies: read by the reader all our JSON goes through, refused as HTTP does."""

from typing import Any, Final

from starlette.exceptions import HTTPException

from schemas import json_text
from schemas.json_text import (
    BATCH_BYTES_MAX,
    BODY_BYTES_MAX,
    DEPTH_MAX,
    Unreadable,
    too_large,
    write_json,
)

__all__ = [
    "BATCH_BYTES_MAX",
    "BODY_BYTES_MAX",
    "DEPTH_MAX",
    "UnreadableBody",
    "body_too_large",
    "read_json",
    "write_json",
]

_STATUS: Final = {"body_not_json": 400, "body_too_large": 413}
_JSON_WE_DO_NOT_TAKE: Final = 422


class UnreadableBody(HTTPException):
    """A body that can't be read: 400 isn't JSON, 413 is too large, 422 is JSON we don't take.

    An HTTPException, because FastAPI turns any other error of reading a body into its own 400.
    """

    def __init__(self, reason: Unreadable) -> None:
        """Keep the stable `code`, and a `detail` that says how to mend the body."""
        self.status = _STATUS.get(reason.code, _JSON_WE_DO_NOT_TAKE)
        super().__init__(status_code=self.status, detail=reason.detail)
        self.code = reason.code
        self.field = reason.field


def read_json(body: bytes, bytes_max: int = BODY_BYTES_MAX) -> dict[str, Any]:
    """Read an object with exact numbers: whole ones as int, all others as Decimal.

    Raises UnreadableBody, whose detail never repeats what was sent.
    """
    try:
        return json_text.read_json(body, bytes_max)
    except Unreadable as reason:
        raise UnreadableBody(reason) from None


def body_too_large(bytes_max: int) -> UnreadableBody:
    """The refusal of the stream's limit, in the same words as the reader's."""
    return UnreadableBody(too_large(bytes_max))
