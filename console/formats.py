"""How values are written for people: by the reader's language, and in the profile's time zone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from markupsafe import Markup

FALLBACK: Final = "en_AU"
_LANGUAGES_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Formats:
    """Writes for one reader."""

    locale: str = FALLBACK
    zone: str = "UTC"
    currency: str = "AUD"

    def money(self, amount: Decimal | int | str | None) -> str:
        """An amount of the programme's currency."""
        if amount is None:
            return "–"
        return format_currency(Decimal(amount), self.currency, locale=self.locale)

    def signed(self, amount: Decimal | int | str | None) -> str:
        """An amount as a change: what comes has a plus."""
        if amount is None:
            return "–"
        written = self.money(amount)
        return f"+{written}" if Decimal(amount) > 0 else written

    def number(self, value: Decimal | int | str | None) -> str:
        """A count."""
        return "–" if value is None else format_decimal(Decimal(value), locale=self.locale)

    def moment(self, text: str | None, zone: str | None = None) -> Markup:
        """An instant of the API as a `<time>`: in the reader's zone, UTC where one points."""
        if not text:
            return Markup("–")
        at = instant(text)
        local = at.astimezone(ZoneInfo(zone or self.zone))
        written = format_datetime(local, "medium", locale=self.locale)
        return Markup('<time datetime="{}" title="{} UTC">{} <small>{}</small></time>').format(
            f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y-%m-%d %H:%M:%S}", written, local.tzname()
        )

    def day(self, text: str | date | None, zone: str | None = None) -> str:
        """The day of an instant, or a day itself."""
        if not text:
            return "–"
        if isinstance(text, str):
            at = instant(text) if len(text) > len("2026-01-01") else None
            day = at.astimezone(ZoneInfo(zone or self.zone)) if at else date.fromisoformat(text)
        else:
            day = text
        return format_date(day, "medium", locale=self.locale)


def wall_time(field: str) -> str:
    """What a browser's field for a moment says, as the API takes it: it leaves out zero seconds."""
    text = field.replace("T", " ")
    return f"{text}:00" if text.count(":") == 1 else text


def instant(text: str) -> datetime:
    """An instant as the API writes it."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


@lru_cache(maxsize=256)
def locale_of(accepted: str) -> str:
    """The first language of an Accept-Language header that we can write."""
    wanted = []
    for part in accepted.split(",")[:_LANGUAGES_MAX]:
        name, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), name))
        except ValueError:
            continue
    for _, name in sorted(wanted, key=lambda each: each[0]):
        try:
            return str(Locale.parse(name, sep="-"))
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return FALLBACK


def as_json(value: Any) -> str:
    """A value as JSON, to be read; a page escapes it like any other text."""
    return json.dumps(value, default=str, ensure_ascii=False, indent=2)


def words(name: str) -> str:
    """A name of the API's, `reward_balance`, as people say it."""
    return name.replace("_", " ").replace("-", " ")


def good_for(definition: Mapping[str, Any]) -> str:
    """How long the rewards of a definition are good, for people."""
    count, unit = definition["period"], words(definition["period_type"])
    if definition["absolute_expiry"]:
        return f"until {definition['absolute_expiry']}"
    if unit.startswith("absolute "):
        unit = unit.removeprefix("absolute ")
        later = {0: f"of this {unit}", 1: f"of the next {unit}"}
        return f"to the end {later.get(count, f'of the {unit}, {count} {unit}s on')}"
    return f"{count} {unit.removesuffix('s') if count == 1 else unit}"


def query(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a link, those without a value left out."""
    return {name: value for name, value in parameters.items() if value not in (None, "")}
