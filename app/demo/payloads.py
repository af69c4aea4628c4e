"""The article's own payloads. Only the dates are moved: the printed ones are past."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from api.examples import DEFINITION_BODY, REDEMPTION_BODY, REWARD_BODY, TRANSACTION_BODY

ARTICLE_ZONE = ZoneInfo("Australia/Melbourne")
WALL = "%Y-%m-%d %H:%M:%S"


def definition(handle: str) -> dict[str, Any]:
    """Step 1."""
    return DEFINITION_BODY | {"handle": handle}


def reward(definition_id: int, profile_id: str, now: datetime) -> dict[str, Any]:
    """Step 2. Issued a moment ago: a time ahead would make it pending, not available."""
    issued = now.astimezone(ARTICLE_ZONE) - timedelta(minutes=1)
    # The article's reward lives a year; 28 February has a next year wherever 29 has none.
    day = issued.replace(day=min(issued.day, 28))
    expires = day.replace(year=day.year + 1, hour=12, minute=59, second=59)
    return REWARD_BODY | {
        "reward_definition_id": str(definition_id),
        "profile_id": profile_id,
        "issued_at": issued.strftime(WALL),
        "expires_at": expires.strftime(WALL),
    }


def redemption() -> dict[str, Any]:
    """Step 3."""
    return dict(REDEMPTION_BODY)


def transaction(
    profile_id: str, redemption_id: int, external_id: str, now: datetime
) -> dict[str, Any]:
    """Step 4, on today's date as in the article."""
    midnight = now.astimezone(ARTICLE_ZONE).replace(hour=0, minute=0, second=0)
    return TRANSACTION_BODY | {
        "profile_id": profile_id,
        "redemption_id": redemption_id,
        "external_id": external_id,
        "transacted_at": midnight.strftime(WALL),
    }
