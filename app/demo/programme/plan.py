"""The whole programme: its definitions, who joins when, and what the calendar brings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from app.demo.programme.baskets import Sale
from app.demo.programme.definitions import (
    BIRTHDAY,
    FOUNDING,
    KINDS,
    REGULAR,
    RETURNING,
    SEASON,
    SPEND,
    WELCOME,
    WELCOME_LATER,
    Kind,
    money,
)
from app.demo.programme.desk import AFTER_HOURS, Desk
from app.demo.programme.members import CLOCKS, SAME_PERSON, Member, member, moment
from app.demo.programme.purse import Lot
from app.demo.programme.steps import Made, Step
from app.demo.programme.story import CRM, PROGRAMME, Given, Story
from app.demo.programme.visits import Visits
from app.demo.programme.ways_back import WaysBack
from schemas.registrations import ChangeProfile, RegisterProfile
from schemas.reward_definitions import AddRewardDefinition, ChangeRewardDefinition
from schemas.rewards import IssueReward

TWO_YEARS: Final = timedelta(days=730)
SPEND_AND_GET: Final = 15_000
REGULAR_FROM: Final = 60_000
MISSED_AFTER: Final = timedelta(days=150)
COMING: Final = timedelta(days=14)
"""How far ahead of the end the last rewards are issued that wait for their day."""


def plan(seed: int, profiles: int, until: datetime) -> Iterator[Step]:
    """The programme of so many profiles over the two years before `until`, in time order.

    The same seed, size and end give the same steps.
    """
    until = until.replace(microsecond=0)
    members = list(_members(seed, profiles))
    name = f"demo-{seed}-{profiles}"
    return Programme(Story(name, until - TWO_YEARS, until, members), Random(seed)).steps()  # noqa: S311


def _members(seed: int, profiles: int) -> Iterator[Member]:
    before: Member | None = None
    for number in range(1, profiles + 1):
        before = member(seed, number, before if number % SAME_PERSON == 0 else None)
        yield before


@dataclass
class Programme:
    """What the programme gives, and when its members come and go."""

    story: Story
    dice: Random

    def __post_init__(self) -> None:
        """Everybody works on the same story."""
        self.desk = Desk(self.story)
        self.visits = Visits(self.story, WaysBack(self.story), self._earn)
        self.places = max(3, len(self.story.members) // 10)
        """For founding members."""

    def steps(self) -> Iterator[Step]:
        """See `plan`."""
        story = self.story
        story.later(story.opening, self._open)
        for each in story.members:
            self._join(each)
        for year in range(story.opening.year, story.until.year + 1):
            story.later(moment(date(year, 11, 20), 10 * 60), self._announce_season)
        return story.steps()

    def _open(self, at: datetime) -> None:
        keys = {kind.handle: self._define(kind, at) for kind in KINDS}

        def dearer(then: datetime) -> None:
            made = Made(keys[WELCOME.handle], "definition")
            fields = {"definition_id": made, "value": money(WELCOME_LATER)}
            self.story.write(then, CRM, ChangeRewardDefinition, fields, PROGRAMME)
            self.story.worth[WELCOME.handle] = WELCOME_LATER

        self.story.later(at + TWO_YEARS / 2, dearer)

    def _define(self, kind: Kind, at: datetime) -> str:
        fields = kind.fields()
        if kind is FOUNDING:
            fields["max_total"] = self.places
        return self.story.write(at, CRM, AddRewardDefinition, fields, PROGRAMME)

    def _join(self, who: Member) -> None:
        """A few are there on the first day; then more and more."""
        story = self.story
        days = 1 + int((TWO_YEARS.days - 10) * who.dice.random() ** 0.8)
        if who.chance(0.05):
            days = who.dice.randint(1, 7)
        first_day = story.opening.astimezone(CLOCKS).date()
        at = who.while_open(first_day + timedelta(days=days))
        story.later(at, lambda when: self._register(who, when))

    def _register(self, who: Member, at: datetime) -> None:
        story = self.story
        fields: dict[str, Any] = {
            "profile_id": who.id,
            "first_name": who.first_name,
            "last_name": who.last_name,
            "email": who.email,
            "birth_date": who.born.isoformat(),
        }
        story.write(at, CRM, RegisterProfile, fields, who.id)
        who.registered = True
        self._give(at + timedelta(seconds=5), who, WELCOME)
        story.later(at + timedelta(seconds=8), lambda when: self._found(who, when))
        self._wait_for_birthday(who, at)
        self._next_visit(who, at, soon=who.chance(0.7))
        if who.chance(0.14):
            when = at + who.seconds(86_400, 500 * 86_400)
            story.later(when, lambda then: self.desk.console(who, then))
        if who.chance(0.01):
            self._after_hours(who, at, (60, 400), lambda then: self.desk.let_go(who, then))
        if who.number % SAME_PERSON == 0:
            other = story.members[who.number - 2]
            self._after_hours(who, at, (20, 200), lambda then: self.desk.merge(who, other, then))
        self._last_days(who)

    def _found(self, who: Member, at: datetime) -> None:
        """As long as there are places; the first who comes too late is told so."""
        story = self.story
        if story.founders < self.places:
            story.issue(at, who, FOUNDING, Given(streams=(FOUNDING.handle,)))
        elif story.founders == self.places:
            fields = {"profile_id": who.id, "reward_definition_handle": FOUNDING.handle}
            story.write(
                at, CRM, IssueReward, fields, who.id, FOUNDING.handle, refused="max_total_reached"
            )
        story.founders += 1

    def _wait_for_birthday(self, who: Member, at: datetime) -> None:
        today = at.astimezone(CLOCKS).date()
        day = who.born.replace(year=today.year)
        if day <= today:
            day = day.replace(year=today.year + 1)
        when = moment(day, 8 * 60 + who.dice.randint(0, 59), who.dice.randint(0, 59))

        def birthday(then: datetime) -> None:
            if who.open:
                self._note(self.story.issue(then, who, BIRTHDAY))
                self._wait_for_birthday(who, then)

        self.story.later(when, birthday)

    def _next_visit(self, who: Member, at: datetime, *, soon: bool = False) -> None:
        """Sooner or later; before the holidays the shops are fuller."""
        days = (
            who.dice.randint(0, 3)
            if soon
            else 1 + int(who.dice.expovariate(who.visits_a_year / 365))
        )
        day = at.astimezone(CLOCKS).date() + timedelta(days=days)
        if day.month in (1, 2) and who.chance(0.3):
            day += timedelta(days=40)
        when = who.while_open(day)
        if when <= at:
            when = at + who.seconds(600, 1800)

        def visit(then: datetime) -> None:
            if who.open:
                self._next_visit(who, then)
                self.visits.order(who, then) if who.chance(0.25) else self.visits.shop(who, then)

        self.story.later(when, visit)

    def _earn(self, sale: Sale, at: datetime) -> None:
        """What a sale earns, a moment later; and who has not been seen for long is missed."""
        who = sale.buyer
        who.spent += sale.total
        who.towards_next += sale.total
        while who.towards_next >= SPEND_AND_GET:
            who.towards_next -= SPEND_AND_GET
            self._give(at + who.seconds(5, 15), who, SPEND)
        if who.spent >= REGULAR_FROM and not who.regular:
            who.regular = True
            self.story.later(at + who.seconds(20, 40), lambda then: self._honour(who, then))
        self.story.later(at + MISSED_AFTER, lambda then: self._miss(who, at, then))

    def _honour(self, who: Member, at: datetime) -> None:
        fields = {"profile_id": who.id, "tags": ("regular",)}
        self.story.write(at, CRM, ChangeProfile, fields, who.id)
        self._give(at + timedelta(seconds=5), who, REGULAR)

    def _miss(self, who: Member, seen: datetime, at: datetime) -> None:
        if who.open and who.seen == seen:
            self.story.issue(at, who, RETURNING)

    def _announce_season(self, at: datetime) -> None:
        """Issued in November, for December."""
        starts = moment(date(at.astimezone(CLOCKS).year, 12, 1), 0)
        for who in self.story.members:
            if who.open and who.chance(0.3):
                self._ahead(who, starts, at)

    def _last_days(self, who: Member) -> None:
        """What is not over when the story ends: rewards for later, baskets not paid for."""
        until = self.story.until
        if who.chance(0.05):
            starts = until + who.seconds(2 * 86_400, 86_400 * COMING.days)
            self._if_open(
                who,
                until - who.seconds(60, 5 * 86_400),
                lambda then: self._ahead(who, starts, then),
            )
        if who.chance(0.02):
            self._if_open(
                who,
                until - who.seconds(60, 7_000),
                lambda then: self.visits.leave_in_the_basket(who, then),
            )

    def _if_open(self, who: Member, at: datetime, act: Any) -> None:
        self.story.later(at, lambda then: act(then) if who.open else None)

    def _ahead(self, who: Member, starts: datetime, at: datetime) -> None:
        lot = self.story.issue(at, who, SEASON, Given(starts=starts))
        self.story.later(lot.issued_at, lambda then: self.story.due(lot.owner, then))

    def _give(self, at: datetime, who: Member, kind: Kind) -> None:
        self.story.later(at, lambda then: self._note(self.story.issue(then, who, kind)))

    def _note(self, lot: Lot) -> None:
        if lot.kind.extend_days:
            self.desk.consider_extending(lot)

    def _after_hours(self, who: Member, at: datetime, days: tuple[int, int], act: Any) -> None:
        day = at.astimezone(CLOCKS).date() + timedelta(days=who.dice.randint(*days))
        self.story.later(moment(day, AFTER_HOURS + who.dice.randint(0, 90)), act)
