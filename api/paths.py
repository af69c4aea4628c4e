"""Ids in paths."""

from typing import Annotated

from fastapi import Path

from schemas.amounts import MINOR_MAX
from schemas.profiles import ProfileId

PathId = Annotated[int, Path(ge=1, le=MINOR_MAX)]
"""An id of ours."""

PathProfile = Annotated[ProfileId, Path()]
"""A profile, whoever made its id; a UUID means the same in either case."""
