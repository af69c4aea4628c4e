"""Imports as the API shows them."""

from collections.abc import Mapping
from typing import Any

import orjson

from schemas.amounts import from_minor
from schemas.times import utc_text

_STATUS = {"checked": "SUCCESS", "written": "SUCCESS", "failed": "FAILED"}
_PERCENT = 100


def document(row: Mapping[str, Any], digits: int) -> dict[str, Any]:
    """An import and how far it is; `phase` says of what its `status` and `progress` are."""
    working = "PROCESSING" if row["begun"] else "PENDING"
    status = _STATUS.get(row["phase"], working)
    count, done = row["count"], row["done"]
    first = row["phase"] == "checking"
    progress = 0 if first or not count else _PERCENT * done // count
    return {
        "id": row["id"],
        "handler": row["handler"],
        "status": status,
        "phase": row["phase"],
        "dry_run": row["dry_run"],
        "create_profiles": row["create_profiles"],
        "count": count,
        "progress": _PERCENT if status == "SUCCESS" else progress,
        "written_count": row["written"],
        "failed_count": row["failed_count"],
        "totals": [
            {
                "reward_definition_id": each["definition"],
                "count": each["rewards"],
                "value": from_minor(each["value_minor"], digits=digits),
            }
            for each in orjson.loads(row["totals"])
        ],
        "error": row["fault"],
        "created_at": utc_text(row["created_at"]),
        "updated_at": utc_text(row["phase_at"]),
    }
