"""The rewards of the programme, and what the story has to know of their terms."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from schemas.times import PeriodType, end_of_day_after

ZONE: Final = "Australia/Melbourne"


@dataclass(frozen=True, slots=True)
class Kind:
    """A reward definition. Amounts are minor units."""

    handle: str
    name: str
    type: str
    value: int
    period: int
    period_type: PeriodType = "days"
    min_spend: int = 0
    extend_days: int = 0
    told: dict[str, Any] = field(default_factory=dict)
    """Further fields of the definition."""

    def fields(self) -> dict[str, Any]:
        """What the command that adds it says."""
        rules: dict[str, Any] = {}
        if self.min_spend:
            rules["min_spend"] = money(self.min_spend)
        if self.extend_days:
            rules |= {"is_extendable": True, "extend_days": self.extend_days}
        return {
            "handle": self.handle,
            "name": self.name,
            "type": self.type,
            "value": money(self.value),
            "period": self.period,
            "period_type": self.period_type,
            "is_published": True,
            **rules,
            **self.told,
        }

    def expires_at(self, issued_at: datetime) -> datetime:
        """When one issued then ends."""
        return end_of_day_after(issued_at, ZONE, self.period, self.period_type)


WELCOME: Final = Kind(
    "welcome-10", "Welcome Reward", "welcome", 1000, 60, told={"max_per_profile": 1}
)
WELCOME_LATER: Final = 1200
"""What a welcome is worth from the middle of the two years on."""
BIRTHDAY: Final = Kind(
    "birthday-15", "Birthday Treat", "birthday", 1500, 30, extend_days=14,
    told={"short_description": "It's your birthday: $15 for you!"},
)  # fmt: skip
SPEND: Final = Kind(
    "spend-and-get-10", "Spend and Get", "spend-and-get", 1000, 90,
    told={"earn_instructions": "$10 for every $150 you spend."},
)  # fmt: skip
GOODWILL: Final = Kind(
    "goodwill", "With Our Apologies", "goodwill", 1500, 4, "months", extend_days=14,
    told={"is_reassignable": True, "is_published": False, "max_value": "50"},
)  # fmt: skip
FOUNDING: Final = Kind("founding-member-20", "Founding Member", "campaign", 2000, 1, "years")
"""For the first who join; how many, the size of the programme says."""
REGULAR: Final = Kind(
    "regulars-25", "For Our Regulars", "tier", 2500, 2, "absolute_month",
    told={"eligibility": {"in": ["regular", {"var": "profile.tags"}]}, "max_per_profile": 1},
)  # fmt: skip
RETURNING: Final = Kind("we-miss-you-15", "We Miss You", "campaign", 1500, 21, min_spend=5000)
SEASON: Final = Kind("season-5", "A Treat for the Season", "campaign", 500, 30)

KINDS: Final = (WELCOME, BIRTHDAY, SPEND, GOODWILL, FOUNDING, REGULAR, RETURNING, SEASON)


def money(minor: int) -> str:
    """Minor units as a command says them."""
    sign, minor = ("-", -minor) if minor < 0 else ("", minor)
    return f"{sign}{minor // 100}.{minor % 100:02}"
