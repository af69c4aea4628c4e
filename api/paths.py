"""Where the API stands, and the ids in its paths."""

import re
from typing import Annotated, Final

from fastapi import Path
from pydantic import BeforeValidator

from schemas.amounts import MINOR_MAX
from schemas.profiles import ProfileId

BASE: Final = "/api/v3"
_PLAIN: Final = re.compile("[1-9][0-9]{0,15}")


def _plain(text: str) -> int:
    if _PLAIN.fullmatch(text) is None or int(text) > MINOR_MAX:
        raise ValueError(f"Give a whole number from 1 to {MINOR_MAX}.")
    return int(text)


PathId = Annotated[int, BeforeValidator(_plain), Path(ge=1, le=MINOR_MAX)]
"""An id of ours, in the one way to write it."""

PathProfile = Annotated[ProfileId, Path()]
"""A profile, whoever made its id; a UUID means the same in either case."""
