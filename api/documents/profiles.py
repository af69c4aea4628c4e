"""Profiles as the API shows them."""

from collections.abc import Mapping
from typing import Any

from api.personal import hidden
from schemas.registrations import PersonalDetails
from schemas.times import utc_text


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    """A profile; `absorbed` are those that have become it."""
    deleted_at = row["deleted_at"]
    return {
        "id": row["profile_id"],
        "type": row["type"] if deleted_at is None else "deleted",
        "tags": row["tags"],
        **dict.fromkeys(sorted(PersonalDetails.PERSONAL)),
        "deleted_at": None if deleted_at is None else utc_text(deleted_at),
        "absorbed": row["absorbed"],
        "created_at": utc_text(row["created_at"]),
        "updated_at": utc_text(row["updated_at"]),
        **hidden(row),
    }
