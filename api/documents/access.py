"""Tokens and users as the API shows them: never with what lets anybody in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.roles import SCOPES_OF
from schemas.times import utc_text

Row = Mapping[str, Any]


def token_document(row: Row) -> dict[str, Any]:
    """A token, and whether it is still good for anything."""
    return {
        "id": row["id"],
        "client": row["client"],
        "name": row["name"],
        "scopes": list(row["scopes"]),
        "created_at": _time(row["created_at"]),
        "created_by": row["created_by"],
        "last_used_at": _time(row["last_used_at"]),
        "revoked_at": _time(row["revoked_at"]),
        "revoked_by": row["revoked_by"],
    }


def user_document(row: Row) -> dict[str, Any]:
    """A user, with what the role allows."""
    return {
        "name": row["name"],
        "role": row["role"],
        "scopes": sorted(SCOPES_OF[row["role"]]),
        "disabled": row["disabled_at"] is not None,
        "created_at": _time(row["created_at"]),
        "created_by": row["created_by"],
        "changed_at": _time(row["changed_at"]),
        "changed_by": row["changed_by"],
        "signed_in_at": _time(row["signed_in_at"]),
        "disabled_at": _time(row["disabled_at"]),
    }


def _time(instant: datetime | None) -> str | None:
    return None if instant is None else utc_text(instant)
