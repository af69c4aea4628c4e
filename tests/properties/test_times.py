"""Wall times agree with the standard library around every clock change of every zone."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from whenever import Instant, available_timezones

from schemas.times import (
    PeriodType,
    ZoneName,
    days_later,
    end_of_day_after,
    local_text,
    parse_end,
    parse_instant,
    utc_text,
    zone_name,
)

ZONES = sorted(available_timezones())
ZONE: TypeAdapter[str] = TypeAdapter(ZoneName)
MINUTES_AROUND = (-90, -60, -31, -1, 0, 1, 29, 30, 60, 90, 1440)


@cache
def changes(zone: str) -> list[datetime]:
    """List the zone's clock changes in two spans: around Samoa's lost day, and a modern one."""
    found = []
    for start, end in ((2010, 2012), (2024, 2026)):
        local = Instant.from_utc(start, 1, 1).to_tz(zone)
        while (after := local.next_transition()) is not None and after.year < end:
            found.append(after.to_instant().to_stdlib())
            local = after
    return found


def expected(wall: datetime, zone: str) -> datetime:
    """`fold=0` is the rule: the first of two, and the offset before a gap (so: forward)."""
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


@pytest.mark.parametrize("letter", sorted({zone[0] for zone in ZONES}))
def test_every_zone_agrees_around_its_clock_changes(letter: str) -> None:
    for zone in (name for name in ZONES if name.startswith(letter)):
        for change in changes(zone):
            for minutes in MINUTES_AROUND:
                wall = change.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
                wall += timedelta(minutes=minutes)
                instant = parse_instant(str(wall), zone)
                assert instant == expected(wall, zone), (zone, wall)
                shown = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
                assert local_text(instant, zone) == str(shown)


def last_second(day: date, zone: str) -> datetime:
    """When a day ends on clocks there, by the standard library."""
    return expected(datetime(day.year, day.month, day.day, 23, 59, 59), zone)


def on(instant: datetime, zone: str) -> date:
    """The date on clocks there."""
    return instant.astimezone(ZoneInfo(zone)).date()


@pytest.mark.parametrize("letter", sorted({zone[0] for zone in ZONES}))
def test_every_zone_ends_its_periods_around_its_clock_changes(letter: str) -> None:
    """Issued shortly before or after a change, or so that the change lies in the last day."""
    for zone in (name for name in ZONES if name.startswith(letter)):
        for change in changes(zone):
            for hours, period in product((-26, -1, 0, 1, 26), (0, 1)):
                issued = change + timedelta(hours=hours)
                first = on(issued, zone)
                day, week = first + timedelta(days=period), first + timedelta(weeks=period)
                sunday = week + timedelta(days=6 - week.weekday())
                ends = [
                    (end_of_day_after(issued, zone, period, "days"), day),
                    (end_of_day_after(issued, zone, period, "weeks"), week),
                    (end_of_day_after(issued, zone, period, "absolute_week"), sunday),
                    (end_of_day_after(issued, zone, 0, "absolute_date", first), first),
                    (parse_end(str(day), zone), day),
                ]
                for end, last in ends:
                    assert end == last_second(last, zone), (zone, issued, last)


@pytest.mark.parametrize("letter", sorted({zone[0] for zone in ZONES}))
def test_every_zone_counts_days_over_its_clock_changes(letter: str) -> None:
    """Days later it is the same time of the day; where that is skipped, as much later."""
    for zone in (name for name in ZONES if name.startswith(letter)):
        for change in changes(zone):
            for hours, days in product((-26, -1, 0, 1), (1, 7)):
                before = change + timedelta(hours=hours)
                wall = before.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
                later = days_later(before, zone, days)
                first = expected(wall + timedelta(days=days), zone)
                second = (wall + timedelta(days=days)).replace(tzinfo=ZoneInfo(zone), fold=1)
                assert later in (first, second.astimezone(UTC)), (zone, before, days)
                assert later >= first, (zone, before, days)


def test_the_comparison_meets_many_clock_changes() -> None:
    assert sum(len(changes(zone)) for zone in ZONES) > 1_000


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    st.sampled_from(ZONES),
)
def test_any_wall_time_agrees(wall: datetime, zone: str) -> None:
    instant = parse_instant(str(wall), zone)
    assert instant == expected(wall, zone)
    assert instant.tzinfo is UTC
    assert parse_instant(f"{utc_text(instant)}Z", zone) == instant


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
    st.integers(0, 500),
)
def test_the_end_of_a_day_is_on_the_local_date(issued: datetime, zone: str, days: int) -> None:
    ends = end_of_day_after(issued, zone, days, "days")
    last = issued.astimezone(ZoneInfo(zone)).date() + timedelta(days=days)
    wall = datetime(last.year, last.month, last.day, 23, 59, 59)
    assert ends == expected(wall, zone)


@pytest.mark.parametrize(
    ("period", "unit", "issued", "last"),
    [(0, "days", date(2024, 1, 31), date(2024, 1, 31)),
     (90, "days", date(2024, 1, 31), date(2024, 4, 30)),
     (2, "weeks", date(2024, 2, 20), date(2024, 3, 5)),
     (1, "months", date(2024, 1, 31), date(2024, 2, 29)),
     (13, "months", date(2024, 1, 31), date(2025, 2, 28)),
     (1, "years", date(2024, 2, 29), date(2025, 2, 28))],
)  # fmt: skip
def test_month_ends_clamp(period: int, unit: PeriodType, issued: date, last: date) -> None:
    zone = "Australia/Melbourne"
    ends = end_of_day_after(parse_instant(f"{issued} 00:30:00", zone), zone, period, unit)
    assert local_text(ends, zone) == f"{last} 23:59:59"


@pytest.mark.parametrize(
    ("period", "unit", "issued", "last"),
    [(0, "absolute_week", date(2024, 2, 26), date(2024, 3, 3)),  # a Monday
     (0, "absolute_week", date(2024, 3, 3), date(2024, 3, 3)),  # a Sunday
     (1, "absolute_week", date(2024, 3, 3), date(2024, 3, 10)),
     (1, "absolute_week", date(2024, 12, 30), date(2025, 1, 12)),
     (0, "absolute_month", date(2024, 2, 1), date(2024, 2, 29)),
     (0, "absolute_month", date(2024, 2, 29), date(2024, 2, 29)),
     (1, "absolute_month", date(2024, 1, 31), date(2024, 2, 29)),
     (1, "absolute_month", date(2024, 12, 31), date(2025, 1, 31)),
     (14, "absolute_month", date(2024, 12, 31), date(2026, 2, 28)),
     (0, "absolute_month", date(9999, 11, 1), date(9999, 11, 30)),
     (7, "absolute_date", date(2024, 1, 31), date(2025, 6, 30))],
)  # fmt: skip
def test_absolute_ones_end_with_the_week_the_month_or_the_date(
    period: int, unit: PeriodType, issued: date, last: date
) -> None:
    for zone in ("Australia/Melbourne", "America/New_York", "UTC"):
        for wall in ("00:00:00", "23:59:59"):
            moment = parse_instant(f"{issued} {wall}", zone)
            ends = end_of_day_after(moment, zone, period, unit, date(2025, 6, 30))
            assert local_text(ends, zone) == f"{last} 23:59:59"


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
    st.integers(0, 60),
)
def test_weeks_and_months_end_locally_whatever_the_clocks_do(
    issued: datetime, zone: str, period: int
) -> None:
    day = issued.astimezone(ZoneInfo(zone)).date()
    sunday = day + timedelta(days=6 - day.weekday(), weeks=period)
    year, month = divmod(day.year * 12 + day.month - 1 + period + 1, 12)
    last = date(year, month + 1, 1) - timedelta(days=1)
    for unit, end in (("absolute_week", sunday), ("absolute_month", last)):
        wall = datetime(end.year, end.month, end.day, 23, 59, 59)
        assert end_of_day_after(issued, zone, period, unit) == expected(wall, zone)


def test_the_offset_wins_over_the_zone() -> None:
    instant = parse_instant("2021-02-10T10:00:00.123456+02:00", "Australia/Melbourne")
    assert instant == datetime(2021, 2, 10, 8, 0, 0, 123456, tzinfo=UTC)
    assert local_text(instant, "Australia/Melbourne") == "2021-02-10 19:00:00"
    assert utc_text(instant) == "2021-02-10 08:00:00"


def test_the_day_samoa_skipped_moves_forward() -> None:
    ends = end_of_day_after(parse_instant("2011-12-29 12:00:00", "Pacific/Apia"),
                            "Pacific/Apia", 1, "days")  # fmt: skip
    assert local_text(ends, "Pacific/Apia") == "2011-12-31 23:59:59"


@pytest.mark.parametrize(
    "text",
    ["", "now", "2021-02-10", "2021-02-10T10:00:00", "2021-02-30 10:00:00", "2021-02-10 24:00:00",
     "2021-02-10 10:00:60", "2021-2-10 10:00:00", " 2021-02-10 10:00:00", "2021-02-10 10:00:00\n",
     "\u0662\u0660\u0662\u0661-02-10 10:00:00",
     "2021-02-10T10:00:00.1234567Z", "2021-02-10T10:00:00+25:00",
     "0000-01-01 00:00:00", "0001-01-01 00:00:00", "9999-12-31T23:59:59Z", "1612915200"],
)  # fmt: skip
def test_refuses_other_times(text: str) -> None:
    with pytest.raises(ValueError, match="Give"):
        parse_instant(text, "Australia/Melbourne")


def test_instants_without_an_offset_are_refused() -> None:
    naive = datetime(2021, 2, 10)
    with pytest.raises(ValueError, match="offset"):
        utc_text(naive)


@pytest.mark.parametrize("period", [-1, 10**30, 36_525])
def test_periods_have_an_end(period: int) -> None:
    with pytest.raises(ValueError, match="Give"):
        end_of_day_after(datetime(2024, 1, 1, tzinfo=UTC), "UTC", period, "years")


def test_zones_are_checked_and_spelt_as_iana_does() -> None:
    assert zone_name("australia/melbourne") == "Australia/Melbourne"
    assert [ZONE.validate_python(zone) for zone in ZONES] == ZONES
    for wrong in ("", "Mars/Base", "+10:00", "../etc/passwd", "/etc/localtime", "UTC\x00", 10):
        with pytest.raises(ValidationError):
            ZONE.validate_python(wrong)
