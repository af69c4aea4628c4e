"""The programme in sums: whatever has happened, they are what the events say."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from http_api.ledger_client import START, Api, refused
from http_api.plans import plan

from ledger.account.folding import fold
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from ledger.streams import event_of
from projections import statistics as sums
from projections.read_models import journal, reward_expiry_order, rewards
from schemas.events import Event
from schemas.holds import HoldLapsed, HoldReleased, RedemptionCaptured
from schemas.movements import Book
from schemas.redemptions import RedemptionMade, RedemptionReturned, RedemptionReversed
from schemas.rewards import (
    RewardAdjusted,
    RewardExpired,
    RewardExtended,
    RewardIssued,
    RewardRevoked,
)

PATH = "/programme/statistics"
PROFILES = ("p-1", "p-2", "p-3")
KINDS = (
    *("issue", "issue", "issue", "redeem", "redeem", "redeem", "hold", "hold", "capture"),
    *("release", "return", "return", "reverse", "revoke", "extend", "adjust", "reassign", "expire"),
)
FLOWS = ("issued", "returned", "redeemed", "expired", "revoked")


async def caught_up(api: Api) -> None:
    """What the projector does."""
    heads = await api.services.store.read_log(after_position=0, limit=100_000)
    streams = sorted({each.stream_id for each in heads if each.stream_id.startswith("account-")})
    for model in (journal.PROJECTION, reward_expiry_order.PROJECTION, rewards.PROJECTION):
        await api.services.reads.catch_up_many(model, streams)


async def statistics(api: Api, query: str = "") -> Any:
    await caught_up(api)
    response = await api.get(f"{PATH}{query}")
    assert response.status_code == 200, response.text
    assert int(response.headers["ledger-position"]) == await api.head()
    return response.json()["data"]


Folded = tuple[Account, list[tuple[Event, datetime]]]


async def accounts(api: Api, now: datetime) -> dict[str, Folded]:
    """Each account folded, and its events with when they occurred; what is due among them."""
    log = await api.services.store.read_log(after_position=0, limit=100_000)
    found: dict[str, Folded] = {}
    for record in log:
        if record.stream_id.startswith("account-"):
            account, events = found.get(record.stream_id, (Account(), []))
            event = event_of(record)
            found[record.stream_id] = (
                fold([event], account),
                [*events, (event, record.occurred_at)],
            )
    for name, (account, events) in found.items():
        due = facts_due(account, now)
        found[name] = fold(due, account), [*events, *((event, now) for event in due)]
    return found


def moved(event: Event, *, into: Book | None = None, out_of: Book | None = None) -> int:
    return sum(
        m.amount_minor
        for m in event.movements
        if (into is None or m.target is into) and (out_of is None or m.source is out_of)
    )


def told(event: Event, at: datetime) -> Iterator[tuple[str, int, datetime]]:
    """What an event says by its own fields, where it has some: flow, minor units, when."""
    match event:
        case RewardIssued(redemption_id=None):
            yield "issued", event.value_remaining_minor, min(at, event.issued_at)
        case RewardAdjusted():
            yield "issued", moved(event, out_of=Book.ISSUED), at
            yield "revoked", moved(event, into=Book.REVOKED), at
        case RedemptionMade() | RedemptionCaptured():
            yield "redeemed", event.total_minor, at
        case RedemptionReturned() | RedemptionReversed():
            yield "returned", event.total_minor, at
            yield "revoked", event.forfeited_minor, at
        case RewardExpired():
            yield "expired", moved(event), event.expires_at
        case HoldLapsed() | HoldReleased():
            until = event.held_until if isinstance(event, HoldLapsed) else at
            yield "expired", moved(event, into=Book.EXPIRED), until
        case RewardExtended():
            yield "expired", -moved(event, out_of=Book.EXPIRED), at
        case RewardRevoked():
            yield "revoked", moved(event), at


class Story:
    """Random calls of the API; what is refused does nothing."""

    def __init__(self, api: Api, seed: int, definitions: list[int]) -> None:
        self.api = api
        self.random = random.Random(seed)
        self.definitions = definitions
        self.rewards: list[int] = []
        self.redemptions: list[int] = []
        self.done: Counter[str] = Counter()

    async def step(self) -> None:
        choose = self.random.choice
        self.api.clock.forward(minutes=choose([0, 0, 0, 1, 5, 20, 600, 3_000]))
        kind = choose(KINDS)
        response = await getattr(self, f"_{kind}")()
        if response is not None and response.status_code in (200, 201, 204):
            self.done[kind] += 1

    def _amount(self) -> str:
        return f"{self.random.randint(1, 1_500) / 100:.2f}"

    def _some(self, numbers: list[int]) -> int:
        return self.random.choice(numbers[-5:] or [1])

    async def _issue(self) -> Any:
        ahead = self.random.choice([-30, -3, 0, 0, 0, 4])
        issued = self.api.clock.now + timedelta(days=ahead)
        body: dict[str, Any] = {
            "profile_id": self.random.choice(PROFILES),
            "reward_definition_id": self.random.choice(self.definitions),
            "value_initial": self._amount(),
            "issued_at": issued.isoformat(timespec="seconds"),
        }
        if self.random.random() < 0.7:
            ends = issued + timedelta(hours=self.random.choice([0, 20, 90, 900, 3_000]))
            body["expires_at"] = ends.isoformat(timespec="seconds")
        response = await self.api.post("/rewards", body)
        if response.status_code == 201:
            self.rewards.append(response.json()["data"]["id"])
        return response

    async def _redeem(self, **more: Any) -> Any:
        profile = self.random.choice(PROFILES)
        body = {"amount": self._amount(), "strict": False} | more
        response = await self.api.post(f"/profiles/{profile}/redeem", body)
        if response.status_code == 201:
            self.redemptions.append(response.json()["data"]["id"])
        return response

    async def _hold(self) -> Any:
        return await self._redeem(hold=self.random.choice(["PT10M", "PT30H", "PT160H"]))

    async def _capture(self) -> Any:
        body = self.random.choice([None, {"amount": self._amount()}])
        return await self._of_redemption("capture", body)

    async def _release(self) -> Any:
        return await self._of_redemption("release")

    async def _return(self) -> Any:
        policy = self.random.choice(["reissue", "restore"])
        return await self._of_redemption("return", {"amount": self._amount(), "policy": policy})

    async def _reverse(self) -> Any:
        return await self._of_redemption("reversal")

    async def _of_redemption(self, what: str, body: Any = None) -> Any:
        return await self.api.post(f"/redemptions/{self._some(self.redemptions)}/{what}", body)

    async def _revoke(self) -> Any:
        return await self.api.delete(f"/rewards/{self._some(self.rewards)}")

    async def _extend(self) -> Any:
        profile = self.random.choice(PROFILES)
        body = {"profile_id": profile, "ids": [self._some(self.rewards)], "extend_days": 40}
        return await self.api.post("/rewards/extend", body)

    async def _adjust(self) -> Any:
        body = {"value_remaining": self._amount(), "value_initial": 20}
        return await self.api.put(f"/rewards/{self._some(self.rewards)}", body)

    async def _reassign(self) -> Any:
        body = {"profile_id": self.random.choice(PROFILES)}
        return await self.api.post(f"/rewards/{self._some(self.rewards)}/reassign", body)

    async def _expire(self) -> Any:
        """Whatever asks records what is due."""
        profile = self.random.choice(PROFILES)
        return await self.api.post(f"/profiles/{profile}/redeem", {"amount": "9999"})


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_has_happened_the_sums_are_what_the_events_say(api: Api, seed: int) -> None:
    more = {"is_extendable": True, "is_reassignable": True}
    definitions = [(await api.define(**more))["id"] for _ in range(3)]
    for profile in PROFILES:
        await api.issue(profile, 5, reward_definition_id=definitions[0])
    story = Story(api, seed, definitions)
    for _ in range(200):
        await story.step()
    merged = await api.post("/profiles/merge", {"winner": "p-1", "loser": "p-3"})
    assert merged.status_code == 200, merged.text
    assert len(story.done) > 6, story.done
    now = api.clock.now
    found = await statistics(api, "?weeks=156")
    folded = await accounts(api, now)
    assert [
        {name: value for name, value in each.items() if name not in ("name", "handle")}
        for each in found["outstanding"]["definitions"]
    ] == by_definition(account for account, _ in folded.values())
    expected = {flow: Counter[str]() for flow in FLOWS}
    for _, events in folded.values():
        for event, at in events:
            for flow, minor, when in told(event, at):
                expected[flow][iso_week(when.date())] += minor
    for flow in FLOWS:
        shown = {w["week"]: round(w[flow]["value"] * 100) for w in found["weeks"]}
        assert {w: minor for w, minor in shown.items() if minor} == {
            w: minor for w, minor in expected[flow].items() if minor
        }, flow
    sums = {flow: round(found["all_weeks"][flow]["value"] * 100) for flow in FLOWS}
    into, out = sums["issued"] + sums["returned"], sums["redeemed"] + sums["expired"]
    assert round(found["outstanding"]["value"] * 100) == into - out - sums["revoked"]
    await calendar_is_folded(api, [account for account, _ in folded.values()], now)
    await definitions_come_to_the_programme(api, definitions, found)


async def definitions_come_to_the_programme(api: Api, numbers: list[int], whole: Any) -> None:
    """Of each definition what is told of all, and all of them come to that."""
    standing = {each["reward_definition_id"]: each for each in whole["outstanding"]["definitions"]}
    told_of = {flow: Counter[str]() for flow in FLOWS}
    for number in numbers:
        response = await api.get(f"/rewards/definitions/{number}/outstanding")
        assert int(response.headers["ledger-position"]) == await api.head()
        found = response.json()["data"]
        outstanding = found["outstanding"]
        if number in standing:
            assert outstanding == {name: standing[number][name] for name in outstanding}
        else:
            assert set(outstanding.values()) == {0}
        ever = found["all_time"]
        minor = {flow: round(ever[flow]["value"] * 100) for flow in FLOWS}
        out = minor["redeemed"] + minor["expired"] + minor["revoked"]
        assert round(outstanding["value"] * 100) == minor["issued"] + minor["returned"] - out
        for flow in FLOWS:
            told_of[flow].update(count=ever[flow]["count"], minor=minor[flow])
    assert told_of == {
        flow: Counter(count=of["count"], minor=round(of["value"] * 100))
        for flow, of in whole["all_weeks"].items()
    }


def by_definition(folded: Iterable[Account]) -> list[dict[str, Any]]:
    sums: dict[int, Counter[str]] = {}
    for lot in (lot for account in folded for lot in account.lots.values() if lot.is_open):
        of = sums.setdefault(lot.terms.definition_id, Counter())
        of["count"] += 1
        of["value"] += lot.remaining_minor
        for book in (Book.AVAILABLE, Book.PENDING, Book.HELD):
            of[book.value] += lot.amount(book)
    return [
        {"reward_definition_id": number, "count": of["count"]}
        | {name: of[name] / 100 for name in ("value", "available", "pending", "held")}
        for number, of in sorted(sums.items())
    ]


async def calendar_is_folded(api: Api, folded: Iterable[Account], now: datetime) -> None:
    """Each day has what expires on it, and nothing is left out."""
    expected: dict[str, Counter[str]] = {}
    for lot in (lot for account in folded for lot in account.lots.values()):
        if minor := lot.amount(Book.AVAILABLE) + lot.amount(Book.PENDING):
            ends = lot.terms.expires_at
            last = now.date() + timedelta(days=59)
            day = (
                "never" if ends is None else f"{ends:%Y-%m-%d}" if ends.date() <= last else "later"
            )
            expected.setdefault(day, Counter()).update(count=1, minor=minor)
    found = await api.data("/programme/expiry-calendar?days=60")
    shown = {each["day"]: each for each in found["days"]} | {
        k: found[k] for k in ("later", "never")
    }
    assert len(found["days"]) == 60
    assert {
        day: Counter(count=of["count"], minor=round(of["value"] * 100))
        for day, of in shown.items()
        if of["count"]
    } == expected


def iso_week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


async def test_what_is_outstanding_under_one_definition(api: Api) -> None:
    definition = await api.define(name="Cake", handle="cake")
    path = f"/rewards/definitions/{definition['id']}/outstanding"
    nothing = {"count": 0, "value": 0}
    none = nothing | {"available": 0, "pending": 0, "held": 0}
    empty = await api.data(path)
    assert empty == {
        "at": "2031-03-10 09:30:00",
        "zone": "UTC",
        "currency": "AUD",
        "reward_definition_id": definition["id"],
        "name": "Cake",
        "handle": "cake",
        "outstanding": none,
        "all_time": dict.fromkeys(FLOWS, nothing),
    }
    await api.issue("p-1", 10, reward_definition_id=definition["id"])
    await api.issue("p-2", 5, reward_definition_id=definition["id"])
    await api.issue("p-3", 7)
    await api.redeem("p-1", 4)
    header = {"ledger_wait_for": str(await api.head())}
    await caught_up(api)
    found = (await api.get(path, **header)).json()["data"]
    assert found["outstanding"] == none | {"count": 2, "value": 11, "available": 11}
    assert found["all_time"]["issued"] == {"count": 2, "value": 15}
    assert found["all_time"]["redeemed"] == {"count": 1, "value": 4}
    api.clock.forward(days=40)
    found = await api.data(path.replace("/rewards/definitions", "/reward-definitions"))
    expired = found["all_time"]["expired"]
    assert (found["outstanding"], expired) == (none, {"count": 2, "value": 11})
    answer = await api.get("/rewards/definitions/99/outstanding")
    refused(answer, 404, "reward_definition_not_found")


async def test_sums_of_a_definition_go_by_its_index(api: Api) -> None:
    looks: list[tuple[str, list[Any]]] = [
        (sums.OUTSTANDING_UNDER, [START, 1]),
        (sums.FLOWS_UNDER, [1, []]),
        (sums.UNRECORDED_UNDER, [START, 1]),
    ]
    for statement, arguments in looks:
        told = await plan(api, statement, *arguments)
        assert "Seq Scan" not in told, told
        assert "_definition" in told


async def test_an_empty_programme_owes_nothing(api: Api) -> None:
    found = await statistics(api)
    assert found["outstanding"] == {
        "count": 0,
        "value": 0,
        "available": 0,
        "pending": 0,
        "held": 0,
        "definitions": [],
    }
    assert (found["zone"], found["currency"], found["at"]) == ("UTC", "AUD", "2031-03-10 09:30:00")
    assert len(found["weeks"]) == 26
    last = found["weeks"][-1]
    assert (last["week"], last["from"], last["to"]) == ("2031-W11", "2031-03-10", "2031-03-16")
    assert {flow: last[flow] for flow in FLOWS} == {
        flow: {"count": 0, "value": 0} for flow in FLOWS
    }
    calendar = await api.data("/programme/expiry-calendar")
    assert len(calendar["days"]) == 90
    assert calendar["days"][0] == {"day": "2031-03-10", "count": 0, "value": 0}
    assert calendar["later"] == calendar["never"] == {"count": 0, "value": 0}


async def test_days_and_weeks_are_those_of_the_programme(api: Api) -> None:
    """Sunday evening in London is Monday in Melbourne."""
    api.clock.now = datetime(2031, 3, 9, 20, 0, tzinfo=UTC)
    await api.issue(expires_at="2031-03-10 20:00:00", timezone="UTC")
    london = (await statistics(api, "?weeks=1"))["weeks"]
    assert [(w["week"], w["issued"]["value"]) for w in london] == [("2031-W10", 10)]
    await api.changed("/programme/settings", {"zone": "Australia/Melbourne"})
    melbourne = (await statistics(api, "?weeks=2"))["weeks"]
    assert [(w["week"], w["issued"]["value"]) for w in melbourne] == [
        ("2031-W10", 0),
        ("2031-W11", 10),
    ]
    calendar = await api.data("/programme/expiry-calendar?days=3")
    assert [(d["day"], d["value"]) for d in calendar["days"]] == [
        ("2031-03-10", 0),
        ("2031-03-11", 10),
        ("2031-03-12", 0),
    ]


async def test_an_expiry_counts_to_its_own_week_whenever_it_is_recorded(api: Api) -> None:
    await api.issue(expires_at="2031-03-16 23:59:59", timezone="UTC")
    api.clock.forward(days=20)

    async def by_week() -> list[tuple[str, int]]:
        weeks = (await statistics(api, "?weeks=4"))["weeks"]
        return [(w["week"], w["expired"]["value"]) for w in weeks]

    before = await by_week()
    assert ("2031-W11", 10) in before
    refused(await api.post("/profiles/p-1/redeem", {"amount": 1}), 422, "insufficient_balance")
    await api.issue()  # records what is due
    assert await by_week() == before


async def test_what_an_extension_brings_back_has_not_expired(api: Api) -> None:
    definition = (await api.define(is_extendable=True))["id"]
    ends = {"expires_at": "2031-03-11 00:00:00", "timezone": "UTC"}
    reward = await api.issue(reward_definition_id=definition, **ends)
    api.clock.forward(days=8)
    assert (await statistics(api))["all_weeks"]["expired"] == {"count": 1, "value": 10}
    body = {"profile_id": "p-1", "ids": [reward["id"]], "extend_days": 40}
    response = await api.post("/rewards/extend", body)
    assert response.status_code == 200, response.text
    found = await statistics(api)
    assert found["all_weeks"]["expired"] == {"count": 0, "value": 0}
    assert found["weeks"][-1]["expired"] == {"count": -1, "value": -10}
    assert found["outstanding"]["value"] == 10


async def test_merged_and_reassigned_value_is_neither_issued_nor_revoked(api: Api) -> None:
    definition = (await api.define(is_reassignable=True))["id"]
    reward = await api.issue(reward_definition_id=definition)
    await api.issue("p-2", 5, reward_definition_id=definition)
    before = await statistics(api)
    response = await api.post(f"/rewards/{reward['id']}/reassign", {"profile_id": "p-2"})
    assert response.status_code in (200, 201), response.text
    merged = await api.post("/profiles/merge", {"winner": "p-1", "loser": "p-2"})
    assert merged.status_code == 200, merged.text
    assert await statistics(api) == before


async def test_what_waits_for_a_command_has_it(api: Api) -> None:
    await api.issue()
    position = await api.head()
    response = await api.get(PATH, ledger_wait_for=str(position))
    assert response.json()["data"]["outstanding"]["value"] == 10
    response = await api.get("/programme/expiry-calendar", ledger_wait_for=str(position))
    assert sum(each["value"] for each in response.json()["data"]["days"]) == 10


async def test_a_parked_profile_makes_the_sums_stale(api: Api) -> None:
    await api.services.pool.execute(
        "INSERT INTO projections.journal_v1_streams (stream_id, parked_at_version) "
        "VALUES ('account-p', 1)"
    )
    meta = (await api.get(PATH)).json()["meta"]
    assert meta == {"stale": True, "code": "projection_parked"}


@pytest.mark.parametrize("value", ["0", "157", "-1", "1.0", "", "x", "1e2", "9" * 30])
async def test_as_many_weeks_as_there_may_be(api: Api, value: str) -> None:
    refused(await api.get(f"{PATH}?weeks={value}"), 422, "validation_failed", "weeks")
    most = "367" if value == "157" else value
    answer = await api.get(f"/programme/expiry-calendar?days={most}")
    refused(answer, 422, "validation_failed", "days")


async def test_the_calendar_may_end_with_the_year_9999(api: Api) -> None:
    api.clock.now = START.replace(year=9998, month=12)
    assert len((await api.data("/programme/expiry-calendar?days=366"))["days"]) == 366
