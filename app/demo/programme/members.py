"""Who takes part: names, birthdays and habits, all from the seed."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.demo.programme.definitions import ZONE
from app.demo.programme.purse import Purse
from app.demo.programme.words import FIRST_NAMES, LAST_NAMES, MAIL_DOMAINS, PLACES

CLOCKS: Final = ZoneInfo(ZONE)
OPENS, CLOSES = 9 * 60, 20 * 60 + 30
VISITS_A_YEAR: Final = (2, 3, 3, 4, 4, 5, 6, 8, 12)
SAME_PERSON: Final = 25
"""So many members, and one of them has registered twice."""


@dataclass(eq=False, slots=True)
class Member:
    """A person, and what the story has to remember of them."""

    number: int
    dice: Random
    id: str
    first_name: str
    last_name: str
    email: str
    born: date
    visits_a_year: int
    place: int
    registered: bool = False
    gone: bool = False
    regular: bool = False
    holds: int = 0
    spent: int = 0
    towards_next: int = 0
    seen: datetime | None = None
    purse: Purse = field(default_factory=Purse)
    became: "Member | None" = None

    @property
    def now(self) -> "Member":
        """Who they are after all merges."""
        return self if self.became is None else self.became.now

    @property
    def open(self) -> bool:
        """They take part under their own name."""
        return self.registered and not self.gone and self.became is None

    def chance(self, share: float) -> bool:
        """Whether something happens that does for so many."""
        return self.dice.random() < share

    def seconds(self, least: int, most: int) -> timedelta:
        """A while."""
        return timedelta(seconds=self.dice.randint(least, most))

    def while_open(self, day: date) -> datetime:
        """A moment of that day in the shops' hours."""
        return moment(day, self.dice.randint(OPENS, CLOSES), self.dice.randint(0, 59))


def member(seed: int, number: int, twin: Member | None = None) -> Member:
    """Number so-and-so, always the same; a twin lends name and birthday."""
    dice = Random(f"{seed}/{number}")  # noqa: S311 - a story, no secret
    profile_id = str(UUID(int=dice.getrandbits(128), version=4))
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    born = date(dice.randint(1948, 2006), dice.randint(1, 12), dice.randint(1, 28))
    if twin is not None:
        first, last, born = twin.first_name, twin.last_name, twin.born
    email = f"{first}.{last}{number}@{dice.choice(MAIL_DOMAINS)}".lower()
    visits, place = dice.choice(VISITS_A_YEAR), dice.choice(PLACES)[0]
    return Member(number, dice, profile_id, first, last, email, born, visits, place)


def moment(day: date, minute: int, second: int = 0) -> datetime:
    """A minute of a day on the shops' clocks."""
    at = datetime.combine(day, time(minute // 60, minute % 60, second), CLOCKS)
    return at.astimezone(UTC)


def wall(at: datetime) -> str:
    """A moment as the shops' clocks show it."""
    return at.astimezone(CLOCKS).strftime("%Y-%m-%d %H:%M:%S")
