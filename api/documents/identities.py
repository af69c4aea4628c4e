"""Identities as the API shows them."""

from collections.abc import Mapping
from typing import Any

from api.personal import hidden
from schemas.times import utc_text


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a profile is known by; the identifier is filled in as the answer is written."""
    return {
        "id": row["identity_id"],
        "profile_id": row["profile_id"],
        "handle": row["handle"],
        "identifier": None,
        "is_primary": row["is_primary"],
        "created_at": utc_text(row["created_at"]),
        "updated_at": utc_text(row["updated_at"]),
        **hidden(row),
    }
