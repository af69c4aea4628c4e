"""What a form has sent: read while it arrives, and no further than a form of ours would go."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from schemas.amounts import UNSTORABLE

FORM_BYTES_MAX: Final = 256 * 1024
FIELDS_MAX: Final = 200


async def read_form(request: Request, bytes_max: int = FORM_BYTES_MAX) -> Mapping[str, Any]:
    """The fields; files are `UploadFile`s.

    Raises:
        HTTPException: 413 it is too large, 400 it is no form, or has what no text has.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > bytes_max:
        raise _too_large(bytes_max)
    try:
        form = await _counted(request, bytes_max).form(max_files=1, max_fields=FIELDS_MAX)
    except UnicodeError:
        raise HTTPException(400, "This form is in an encoding nobody can read.") from None
    if any(map(_is_no_text, (*form.keys(), *form.values()))):
        raise HTTPException(400, "Remove the NUL character or unpaired surrogate.")
    return dict(form.multi_items())


def _counted(request: Request, bytes_max: int) -> Request:
    """The request, which ends where it grows too large: what it announced may be a lie."""
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > bytes_max:
            raise _too_large(bytes_max)
        return message

    return Request(request.scope, receive)


def _is_no_text(value: str | UploadFile) -> bool:
    text = (value.filename or "") if isinstance(value, UploadFile) else value
    return UNSTORABLE.search(text) is not None


def _too_large(bytes_max: int) -> HTTPException:
    # What is still to come is not read: the connection ends.
    size = f"{bytes_max // 1024} KB" if bytes_max < 1024 * 1024 else f"{bytes_max // 1024**2} MB"
    return HTTPException(413, f"Send at most {size} at once.", {"Connection": "close"})
