"""Times: wall time with its zone outside, UTC inside, by one rule for gaps and folds.

A wall time a clock change skips moves forward by the gap, one that occurs twice means the first.
`whenever` calls that rule "compatible" (RFC 5545 has the same one).
"""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, assert_never

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from whenever import (
    Date,
    Instant,
    OffsetDateTime,
    PlainDateTime,
    Time,
    TimeDelta,
    ZonedDateTime,
    available_timezones,
)

PeriodType = Literal[
    "days", "weeks", "months", "years", "absolute_date", "absolute_week", "absolute_month"
]
"""How a period counts. The absolute ones end with a date, a week or a month of the calendar."""

PERIOD_MAX: Final = 36_525
"""A hundred years in days: past any programme, and far from the end of the calendar."""

# Seconds end at 59: `whenever` reads a leap second as the one before it.
_WALL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-5][0-9]")
_WITH_OFFSET: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_DAY: Final = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_DURATION_PATTERN: Final = r"^PT(?=[0-9])([0-9]{1,4}H)?([0-9]{1,6}M)?([0-9]{1,8}S)?$"
_DURATION: Final = re.compile(_DURATION_PATTERN)
_END_OF_DAY: Final = Time(23, 59, 59)
_INFINITIES: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
"""The first and the last moment there are mean "infinity" to the driver, and come back as that."""
_NEEDS_OFFSET: Final = "Give the instant with its offset from UTC."
_OUT_OF_RANGE: Final = "Give an existing date and time before the end of the year 9999."


@lru_cache(maxsize=4_096)
def parse_instant(text: str, zone: str) -> datetime:
    """Give the UTC instant of a wall time in `zone`, or of ISO 8601 text whose offset wins.

    The instant is checked in `zone` too, so that `local_text` can always show what was accepted.
    """
    name = zone_name(zone)
    if not (_WALL.fullmatch(text) or _WITH_OFFSET.fullmatch(text)):
        raise ValueError(
            "Give the time as YYYY-MM-DD HH:MM:SS, or as ISO 8601 with an offset "
            "(2026-01-31T09:30:00+10:00) and at most 6 decimals of a second."
        )
    try:
        if _WALL.fullmatch(text):
            wall = PlainDateTime.parse_iso(text)
            local = wall.assume_tz(name, disambiguation="compatible")
        else:
            local = OffsetDateTime.parse_iso(text).to_tz(name)
        return _utc(local)
    except (ValueError, OverflowError):
        raise ValueError(_OUT_OF_RANGE) from None


def _written(text: str) -> str:
    """Checked without its zone; only the ends of the calendar depend on that."""
    parse_instant(text, "UTC")
    return text


def _written_end(text: str) -> str:
    parse_end(text, "UTC")
    return text


def local_text(instant: datetime, zone: str) -> str:
    """Give `YYYY-MM-DD HH:MM:SS` as clocks in `zone` show it; fractions of a second are cut."""
    return _text(_instant(instant).to_tz(zone_name(zone)).to_plain())


@lru_cache(maxsize=4_096)
def utc_text(instant: datetime) -> str:
    """Give `YYYY-MM-DD HH:MM:SS` in UTC; fractions of a second are cut."""
    if instant.utcoffset() is None:
        raise ValueError(_NEEDS_OFFSET)
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


def end_of_day_after(
    issued_at: datetime,
    zone: str,
    period: int,
    period_type: PeriodType,
    absolute: date | None = None,
) -> datetime:
    """Give the UTC instant of 23:59:59 in `zone`, `period` after the local date of issue (day 0).

    Month ends clamp: one month after 31 January is the last day of February. `absolute_week` is
    the Sunday of the week, `absolute_month` the last day of the month, that lies `period` weeks or
    months after the one of the issue; `absolute_date` is the day `absolute`. If the clocks go back
    over midnight, the first 23:59:59 counts, as for every wall time.
    """
    if not 0 <= period <= PERIOD_MAX:
        raise ValueError(f"Give a period from 0 to {PERIOD_MAX}.")
    name = zone_name(zone)
    day_of_issue = _instant(issued_at).to_tz(name).date()
    try:
        last_day = _last_day(day_of_issue, period, period_type, absolute)
        return _utc(last_day.at(_END_OF_DAY).assume_tz(name, disambiguation="compatible"))
    except (ValueError, OverflowError):
        raise ValueError("Give a shorter period: it ends after the year 9999.") from None


def days_later(instant: datetime, zone: str, days: int) -> datetime:
    """Give the UTC instant so many calendar days later, at the same time on clocks in `zone`."""
    try:
        local = _instant(instant).to_tz(zone_name(zone))
        return _utc(local.add(days=days, disambiguation="compatible"))
    except (ValueError, OverflowError):
        raise ValueError("Give fewer days: it ends after the year 9999.") from None


def local_day(instant: datetime, zone: str) -> date:
    """Give the day that calendars in `zone` show at an instant."""
    return _instant(instant).to_tz(zone_name(zone)).date().to_stdlib()


def start_of_day(day: date, zone: str) -> datetime:
    """Give the UTC instant a day begins in `zone`: or where the clocks pass over that."""
    try:
        wall = Date(day.year, day.month, day.day).at(Time())
        return _utc(wall.assume_tz(zone_name(zone), disambiguation="compatible"))
    except (ValueError, OverflowError):
        raise ValueError(_OUT_OF_RANGE) from None


def parse_end(text: str, zone: str) -> datetime:
    """Give the UTC instant a day ends in `zone`, or the one `parse_instant` gives for a time."""
    if _DAY.fullmatch(text) is None:
        return parse_instant(text, zone)
    try:
        day = Date.parse_iso(text)
        return _utc(day.at(_END_OF_DAY).assume_tz(zone_name(zone), disambiguation="compatible"))
    except (ValueError, OverflowError):
        raise ValueError(_OUT_OF_RANGE) from None


def _day(value: Any) -> date:
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        raise ValueError("Give the date as YYYY-MM-DD.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("Give a date that exists.") from None


def zone_name(value: Any) -> str:
    """Give the IANA spelling of a zone's name, in whatever case it was typed; aliases stay."""
    found = _zones().get(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("Give the IANA name of a time zone, such as Australia/Melbourne.")
    return found


def duration(value: Any) -> Any:
    """Give the time an ISO 8601 duration of hours, minutes and whole seconds lasts.

    Days and months are not asked for: a till that holds value counts minutes.
    """
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or _DURATION.fullmatch(value) is None:
        raise ValueError("Give an ISO 8601 duration in hours, minutes and seconds, such as PT15M.")
    lasting = TimeDelta.parse_iso(value).to_stdlib()
    if not lasting:
        raise ValueError("Give a duration of at least one second.")
    return lasting


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    WithJsonSchema({"type": "string", "pattern": _DURATION_PATTERN, "examples": ["PT15M"]}),
]
"""How long something lasts: `PT15M`."""

Moment = Annotated[
    str,
    Field(strict=True),
    AfterValidator(_written),
    WithJsonSchema({"type": "string", "examples": ["2026-01-31 09:30:00"]}),
]
"""A wall time whose zone stands beside it, or ISO 8601 with an offset; kept as it was written."""

DayOrMoment = Annotated[
    str,
    Field(strict=True),
    AfterValidator(_written_end),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?$",
            "examples": ["2026-01-31", "2026-01-31 09:30:00"],
        }
    ),
]
"""A day, which means its end, or a `Moment`."""

Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "pattern": _DAY.pattern, "examples": ["2026-12-31"]}),
]
"""A date of the calendar, whatever the zone."""

ZoneName = Annotated[
    str,
    BeforeValidator(zone_name),
    WithJsonSchema({"type": "string", "examples": ["Australia/Melbourne"]}),
]
"""The IANA name of a time zone."""

MaybeZone = Annotated[
    str | None,
    BeforeValidator(zone_name),
    WithJsonSchema({"type": "string", "examples": ["Australia/Melbourne"]}),
]
"""The same where it may be left out, which means the programme's zone; null is no zone."""


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    """Keep the list: making it reads a directory tree, too slow for every request."""
    return {name.lower(): name for name in available_timezones()}


def _last_day(day: Date, period: int, period_type: PeriodType, absolute: date | None) -> Date:
    match period_type:
        case "days":
            return day.add(days=period)
        case "weeks":
            return day.add(weeks=period)
        case "months":
            return day.add(months=period)
        case "years":
            return day.add(years=period)
        case "absolute_date" | "absolute_week" | "absolute_month":
            return _absolute_day(day, period, period_type, absolute)
        case _:
            assert_never(period_type)


def _absolute_day(day: Date, period: int, period_type: str, absolute: date | None) -> Date:
    if period_type == "absolute_week":
        return day.add(weeks=period, days=7 - day.day_of_week().value)
    if period_type == "absolute_month":
        month = day.replace(day=1).add(months=period)
        return month.replace(day=monthrange(month.year, month.month)[1])
    if absolute is None:
        raise ValueError("Give the date it ends with.")
    return Date(absolute.year, absolute.month, absolute.day)


def _instant(moment: datetime) -> Instant:
    if moment.utcoffset() is None:
        raise ValueError(_NEEDS_OFFSET)
    return Instant(moment.astimezone(UTC))


def _utc(local: ZonedDateTime) -> datetime:
    instant = local.to_instant().to_stdlib().astimezone(UTC)
    if instant in _INFINITIES:
        raise ValueError(_OUT_OF_RANGE)
    return instant


def _text(wall: PlainDateTime) -> str:
    return wall.to_stdlib().isoformat(sep=" ", timespec="seconds")
