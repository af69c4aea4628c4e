"""Claims as the API shows them."""

from collections.abc import Mapping
from typing import Any

from api.services import Services
from schemas.amounts import from_minor
from schemas.times import utc_text


def document(row: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """What the receipt says, as it was told, and what became of it."""
    return {
        "id": row["claim_id"],
        "profile_id": row["profile_id"],
        "status": row["status"],
        "transaction_receipt_ref": row["receipt_ref"],
        "transaction_total": from_minor(
            row["total_minor"], digits=services.settings.currency_digits
        ),
        "transaction_transacted_at": row["told_time"],
        "transaction_timezone": row["timezone"],
        "transaction_location_external_code": row["location_external_code"],
        "claimed_transaction_id": row["claimed_transaction_id"],
        "attempts": row["attempts"],
        "last_checked_at": utc_text(row["last_checked_at"]),
        "created_at": utc_text(row["created_at"]),
        "updated_at": utc_text(row["updated_at"]),
    }
