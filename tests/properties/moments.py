"""Time and money as the models count them: milliseconds since 1970, and cents."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

START = int(datetime(2030, 1, 1, 9, tzinfo=UTC).timestamp()) * 1000
WINDOW = timedelta(minutes=10)


def instant(ms: int) -> datetime:
    """The instant of a millisecond."""
    return datetime.fromtimestamp(ms // 1000, UTC) + timedelta(milliseconds=ms % 1000)


def amount_of(cents: int) -> Decimal:
    """Cents as an amount."""
    return Decimal(cents) / 100
