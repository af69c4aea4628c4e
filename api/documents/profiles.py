"""Profiles as the API shows them."""

from collections.abc import Mapping
from typing import Any

from schemas.times import utc_text


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    """A profile; `absorbed` are those that have become it."""
    return {
        "id": row["profile_id"],
        "type": row["type"],
        "absorbed": row["absorbed"],
        "created_at": utc_text(row["created_at"]),
        "updated_at": utc_text(row["updated_at"]),
    }
