"""Versions of what can be changed: the `ETag` of an answer, and the `If-Match` that names one."""

import re
from typing import Final

from fastapi import Request

from api.parameters import IF_MATCH
from api.problems import Refused

_ETAG: Final = re.compile(r'"(0|[1-9][0-9]{0,8})"')


def etag(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def expected_version(request: Request, *, least: int = 1) -> int | None:
    """The version `If-Match` names; None for any. `least` is the first there is.

    Raises:
        Refused: 400, it is no tag of ours.
    """
    given = request.headers.getlist(IF_MATCH.name)
    if not given or given == ["*"]:
        return None
    tag = _ETAG.fullmatch(given[0])
    if tag is None or len(given) > 1 or int(tag[1]) < least:
        raise Refused(
            400, "invalid_if_match", None, "Send the ETag of the answer you have read, or *."
        )
    return int(tag[1])
