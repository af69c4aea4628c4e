"""Versions of what can be changed: the `ETag` of an answer, and the `If-Match` that names one."""

import re
from typing import Final

from fastapi import Request

from api.parameters import IF_MATCH
from api.problems import Refused

_VERSION: Final = re.compile("0|[1-9][0-9]{0,8}")
_REVISION: Final = re.compile("[0-9a-f]{16}")


def etag(version: int | str) -> str:
    """The tag of a version or revision."""
    return f'"{version}"'


def expected_version(request: Request, *, least: int = 1) -> int | None:
    """The version `If-Match` names; None for any. `least` is the first there is.

    Raises:
        Refused: 400, it is no tag of ours.
    """
    version = _named(request, _VERSION)
    if version is not None and int(version) < least:
        raise _no_tag()
    return None if version is None else int(version)


def expected_revision(request: Request) -> str | None:
    """The revision `If-Match` names, for what has no versions to count; None for any.

    Raises:
        Refused: 400, it is no tag of ours.
    """
    return _named(request, _REVISION)


def _named(request: Request, form: re.Pattern[str]) -> str | None:
    given = request.headers.getlist(IF_MATCH.name)
    if not given or given == ["*"]:
        return None
    name = given[0][1:-1]
    if len(given) > 1 or given[0] != etag(name) or form.fullmatch(name) is None:
        raise _no_tag()
    return name


def _no_tag() -> Refused:
    return Refused(
        400, "invalid_if_match", None, "Send the ETag of the answer you have read, or *."
    )
