"""A profile as of a moment: its balance, its rewards, its history."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from http_api.ledger_client import START, Api, refused

from ledger.submission import Submission
from schemas.commands import Command
from schemas.redemptions import MakeRedemption
from schemas.times import utc_text

READS = (
    "/profiles/p-1/balances",
    "/profiles/p-1/balances/explain",
    "/profiles/p-1/history",
    "/profiles/p-1/rewards",
    "/profiles/p-1/rewards/expiry-order",
    "/profiles/p-1/redemptions",
)


def hours(number: float) -> str:
    """So many hours after the test's beginning."""
    return utc_text(START + timedelta(hours=number))


async def lived(api: Api) -> dict[str, Any]:
    """10 until hour 48 and 5 without an end; 4 redeemed at hour 1, 1 of it returned at hour 24."""
    first = await api.issue(value=10, expires_at=hours(48))
    second = await api.issue(value=5, expires_at=None)
    api.clock.forward(hours=1)
    redeemed = await api.redeem(amount=4)
    api.clock.forward(hours=23)
    body = {"amount": 1, "policy": "restore"}
    await api.made(f"/redemptions/{redeemed['id']}/return", body)
    return {"first": first["id"], "second": second["id"], "redemption": redeemed["id"]}


async def balance(api: Api, query: str, profile: str = "p-1") -> Any:
    return (await api.data(f"/profiles/{profile}/balances?{query}"))["reward_balance"]


async def late(api: Api, command: Command, hour: float) -> None:
    """A fact of elsewhere that the ledger hears of only now."""
    at = START + timedelta(hours=hour)
    await api.services.committer.submit(Submission(command, "kafka:shop", "shop", occurred_at=at))


async def test_the_balance_as_of_each_moment(api: Api) -> None:
    await lived(api)
    for hour, was in ((-1, 0), (0, 15), (0.99, 15), (1, 11), (23, 11), (24, 12), (48, 12)):
        assert await balance(api, f"as_of={hours(hour)}") == was, hour
    assert await balance(api, f"as_of={utc_text(START + timedelta(hours=48, seconds=1))}") == 5
    assert await api.balance("p-1") == 12


async def test_an_answer_says_as_of_when_it_is(api: Api) -> None:
    await lived(api)
    head = await api.head()
    answer = await api.get(f"/profiles/p-1/balances?as_of={hours(1)}")
    assert answer.json()["meta"] == {"as_of": hours(1), "time": "occurred"}
    assert answer.headers["ledger-position"] == str(head)
    assert "meta" not in (await api.get("/profiles/p-1/balances")).json()
    history = (await api.get(f"/profiles/p-1/history?as_of={hours(1)}")).json()
    assert (history["meta"]["as_of"], history["meta"]["balance"]) == (hours(1), 11)


async def test_an_offset_is_kept_to_and_a_fraction_is_exact(api: Api) -> None:
    await api.issue()
    for moment, was in (
        ("2031-03-10T20:30:00+11:00", 10),
        ("2031-03-10T20:29:59+11:00", 0),
        ("2031-03-10T09:30:00.000000Z", 10),
        ("2031-03-10T09:29:59.999999Z", 0),
    ):
        assert await balance(api, f"as_of={quote(moment)}") == was, moment


async def test_what_was_told_late_counts_from_when_it_happened(api: Api) -> None:
    known = await lived(api)
    await late(api, MakeRedemption(profile_id="p-1", amount=2), 12)
    assert [await balance(api, f"as_of={hours(hour)}") for hour in (11, 12, 23, 24)] == [
        11, 9, 9, 10,
    ]  # fmt: skip
    (lot, _) = await api.data(f"/profiles/p-1/balances/explain?as_of={hours(12)}")
    assert (lot["reward_id"], lot["available"]) == (known["first"], 4)
    assert lot["steps"][-1]["client"] is None
    assert lot["steps"][-1]["occurred_at"] == hours(12)


async def test_a_swept_reward_that_was_spent_in_time_was_spent_then(api: Api) -> None:
    await api.issue(value=10, expires_at=hours(2))
    api.clock.forward(hours=3)
    await api.issue(value=1)  # every decision records what is due first
    await late(api, MakeRedemption(profile_id="p-1", amount=4), 1)
    assert [await balance(api, f"as_of={hours(hour)}") for hour in (0, 1, 2, 2.1, 3)] == [
        10, 6, 6, 0, 1,
    ]  # fmt: skip


async def test_recorded_time_is_what_the_ledger_had_answered(api: Api) -> None:
    """The store's own clock is today's, while the test's is years ahead."""
    await lived(api)
    events = await api.services.store.read_stream("account-p-1")
    for event in events:
        query = f"as_of={quote(event.recorded_at.isoformat())}&time=recorded"
        known = (await api.get(f"/profiles/p-1/history?{query}")).json()
        assert known["meta"]["total"] == event.stream_version + sum(
            e.recorded_at == event.recorded_at and e.position > event.position for e in events
        )
        assert await balance(api, query) == known["meta"]["balance"]
        assert known["meta"]["time"] == "recorded"
    assert await balance(api, "as_of=2020-01-01 00:00:00&time=recorded") == 0


async def test_a_hold_is_held_until_its_deadline(api: Api) -> None:
    await api.issue(value=10)
    await api.redeem(amount=4, hold="PT1H")
    api.clock.forward(hours=2)
    was = await api.data(f"/profiles/p-1/balances?as_of={hours(0.5)}")
    assert (was["reward_balance"], was["held_reward_balance"]) == (6, 4)
    was = await api.data(f"/profiles/p-1/balances?as_of={hours(1)}")
    assert (was["reward_balance"], was["held_reward_balance"]) == (10, 0)


async def test_what_was_pending_then(api: Api) -> None:
    await api.issue(value=10, issued_at=hours(2), expires_at=hours(3))
    api.clock.forward(hours=4)
    for hour, pending, available in ((1, 10, 0), (2, 0, 10), (3.1, 0, 0)):
        was = await api.data(f"/profiles/p-1/balances?as_of={hours(hour)}")
        assert (was["pending_reward_balance"], was["reward_balance"]) == (pending, available)


async def test_the_future_is_what_time_alone_will_do_and_what_will_be_known_nobody_tells(
    api: Api,
) -> None:
    await lived(api)
    assert await balance(api, "as_of=2039-01-01 00:00:00") == 5
    for path in READS:
        answer = await api.get(f"{path}?as_of=2039-01-01 00:00:00&time=recorded")
        refused(answer, 422, "validation_failed", "as_of")


async def test_before_it_began_a_profile_had_nothing(api: Api) -> None:
    await lived(api)
    for path in READS[1:]:
        assert await api.data(f"{path}?as_of={hours(-1)}") == []
    was = await api.data(f"/profiles/p-1/balances?as_of={hours(-1)}")
    assert was["currency"] == "AUD"
    assert not any(number for name, number in was.items() if name != "currency")
    for path in READS:
        answer = await api.get(f"{path.replace('p-1', 'p-9')}?as_of={hours(0)}")
        refused(answer, 404, "profile_not_found")


async def test_the_rewards_as_of_each_moment(api: Api) -> None:
    known = await lived(api)
    path = "/profiles/p-1/rewards"
    was = await api.data(f"{path}?as_of={hours(1)}")
    assert [(each["id"], each["value_remaining"]) for each in was] == [
        (known["second"], 5), (known["first"], 6),
    ]  # fmt: skip
    assert was[0]["definition"]["name"] == "R"
    assert not was[0]["is_expired"]
    later = await api.data(f"{path}?as_of={hours(49)}&filter[is_expired]=true")
    assert [(each["id"], each["value_remaining"]) for each in later] == [(known["first"], 0)]
    most = f"{path}?as_of={hours(1)}&sort=-value_remaining&filter[value_remaining][gt]=5"
    assert await api.ids(most) == [known["first"]]
    page = (await api.get(f"{path}?as_of={hours(1)}&page[size]=1")).json()
    assert (page["meta"]["total"], page["meta"]["as_of"]) == (2, hours(1))
    assert (await api.get(page["links"]["next"])).json()["data"] == was[1:]
    now = await api.data(path)
    api.clock.forward(hours=1)
    assert await api.data(f"{path}?as_of={hours(24)}") == now


async def test_a_reward_changed_or_revoked_since_was_as_it_was(api: Api) -> None:
    definition = await api.define(name="Birthday")
    body = {"reward_definition_id": definition["id"], "meta": {"note": "by hand"}}
    reward = await api.issue(value=10, expires_at=hours(48), **body)
    api.clock.forward(hours=1)
    await api.changed(f"/rewards/{reward['id']}", {"value_remaining": 3, "expires_at": hours(24)})
    renamed = {"name": "Other", "value": 10, "type": "other", "period": 30}
    await api.changed(f"/rewards/definitions/{definition['id']}", renamed)
    api.clock.forward(hours=1)
    await api.delete(f"/rewards/{reward['id']}")
    path = "/profiles/p-1/rewards?as_of="
    (first,) = await api.data(f"{path}{hours(0)}")
    assert (first["value_remaining"], first["expires_at"]) == (10, hours(48))
    assert (first["definition"]["name"], first["meta"]) == ("Birthday", {"note": "by hand"})
    (second,) = await api.data(f"{path}{hours(1)}")
    assert (second["value_remaining"], second["definition"]["name"]) == (3, "Other")
    assert await api.data(f"{path}{hours(2)}") == []


async def test_the_order_of_consumption_as_of_a_moment(api: Api) -> None:
    known = await lived(api)
    path = "/profiles/p-1/rewards/expiry-order"
    was = await api.data(f"{path}?as_of={hours(1)}")
    assert [(each["reward_id"], each["value_cumulative"]) for each in was] == [
        (known["first"], 6), (known["second"], 11),
    ]  # fmt: skip
    later = await api.data(f"{path}?as_of={hours(49)}")
    assert [each["reward_id"] for each in later] == [known["second"]]


async def test_redemptions_as_of_a_moment(api: Api) -> None:
    known = await lived(api)
    path = "/profiles/p-1/redemptions"
    (was,) = await api.data(f"{path}?as_of={hours(1)}")
    assert (was["id"], was["total"], was["returned"]) == (known["redemption"], 4, 0)
    assert was["items"][0]["type_attributes"]["value_remaining"] == 6
    now = await api.data(path)
    assert len(now) == 2
    assert await api.data(f"{path}?as_of={hours(24)}") == now
    assert await api.ids(f"{path}?as_of={hours(24)}&filter[type]=return") == [now[0]["id"]]


async def test_a_hold_lapsed_or_not_by_then(api: Api) -> None:
    await api.issue(value=10)
    await api.redeem(amount=4, hold="PT1H")
    for hour, status in ((0.5, "held"), (1, "lapsed")):
        (was,) = await api.data(f"/profiles/p-1/redemptions?as_of={hours(hour)}")
        assert was["status"] == status


async def test_a_merged_profile_was_its_own_before(api: Api) -> None:
    await api.issue("p-1", 10)
    await api.issue("p-2", 7)
    api.clock.forward(hours=1)
    await api.redeem("p-2", 2)
    api.clock.forward(hours=1)
    merge = {"winner": "p-1", "loser": "p-2"}
    assert (await api.post("/profiles/merge", merge)).status_code == 200
    api.clock.forward(hours=1)
    await api.redeem("p-1", 1)
    for hour, winner, loser in ((0, 10, 7), (1, 10, 5), (2, 15, 15), (3, 14, 14)):
        assert await balance(api, f"as_of={hours(hour)}") == winner
        assert await balance(api, f"as_of={hours(hour)}", "p-2") == loser
    before = (await api.get(f"/profiles/p-2/history?as_of={hours(1)}")).json()
    assert [entry["balance"] for entry in before["data"]] == [0, 7, 5]
    assert "merged_into" not in before["meta"]
    for path in ("/rewards", "/rewards/expiry-order", "/redemptions"):
        of_loser = await api.data(f"/profiles/p-2{path}?as_of={hours(1)}")
        assert len(of_loser) == 1, path
        of_winner = await api.data(f"/profiles/p-1{path}?as_of={hours(2)}")
        assert await api.data(f"/profiles/p-2{path}?as_of={hours(2)}") == of_winner
        assert of_loser[0].get("id") in {each.get("id") for each in of_winner}
    after = (await api.get(f"/profiles/p-2/history?as_of={hours(2)}")).json()
    assert after["meta"]["merged_into"] == "p-1"
    assert after["data"][-1]["type"] == "ProfileMerged"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("as_of=yesterday", "as_of"),
        ("as_of=", "as_of"),
        ("as_of=0", "as_of"),
        ("as_of=-1", "as_of"),
        ("as_of=1924952400", "as_of"),
        ("as_of=2031-03-10", "as_of"),
        ("as_of=2031-02-30 00:00:00", "as_of"),
        ("as_of=2031-03-10T00:00:00", "as_of"),
        ("as_of=2031-03-10T00:00:00%2B25:00", "as_of"),
        ("as_of=10000-01-01 00:00:00", "as_of"),
        ("as_of=9999-12-31T23:59:59.999999Z", "as_of"),
        ("as_of=0001-01-01T00:00:00%2B14:00", "as_of"),
        ("as_of=%00", "as_of"),
        ("as_of=%F0%9F%8E%82", "as_of"),
        ("as_of=" + "9" * 5_000, "as_of"),
        ("as_of=2031-03-10 00:00:00&as_of=2031-03-11 00:00:00", "as_of"),
        ("time=business", "time"),
        ("time=", "time"),
        ("time=occurred&time=recorded", "time"),
        ("as_off=2031-03-10 00:00:00", "as_off"),
    ],
)
async def test_moments_that_are_none(api: Api, query: str, field: str) -> None:
    await api.issue()
    for path in READS:
        refused(await api.get(f"{path}?{query}"), 422, "validation_failed", field)


@pytest.mark.parametrize("moment", ["0001-01-02 00:00:00", "9999-12-31 23:59:59"])
async def test_the_ends_of_the_calendar(api: Api, moment: str) -> None:
    await api.issue(expires_at=None)
    for path in READS:
        assert (await api.get(f"{path}?as_of={moment}")).status_code == 200
