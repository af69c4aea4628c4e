"""A profile's journal and history: every movement with the balance it left."""

import pytest
from http_api.ledger_client import Api, refused


async def lived(api: Api) -> None:
    """Issue 10, redeem 4 an hour later, return 1 the next day."""
    await api.issue(value=10, expires_at="2031-03-20 00:00:00")
    api.clock.forward(hours=1)
    redeemed = await api.redeem(amount=4)
    api.clock.forward(days=1)
    await api.made(f"/redemptions/{redeemed['id']}/return", {"amount": 1, "policy": "restore"})


async def test_the_journal_keeps_a_running_balance(api: Api) -> None:
    await lived(api)
    lines = await api.data("/profiles/p-1/ledgers")
    assert [(line["effect"], line["balance"]) for line in lines] == [(1, 7), (-4, 6), (10, 10)]
    assert [(line["from"], line["to"]) for line in lines] == [
        ("redeemed", "available"),
        ("available", "redeemed"),
        ("issued", "available"),
    ]
    assert {line["actor"] for line in lines} == {"till"}
    only = await api.data("/profiles/p-1/ledgers?filter[event]=RedemptionMade&filter[amount]=4")
    assert [line["balance"] for line in only] == [6]
    pages = await api.data("/profiles/p-1/ledgers?page[size]=1&page[number]=2")
    assert [line["balance"] for line in pages] == [6]


async def test_a_line_of_the_journal_says_what_the_original_platform_says(api: Api) -> None:
    await lived(api)
    returned, redeemed, issued = await api.data("/profiles/p-1/ledgers")
    number = issued["reward_id"]
    assert [line["description"] for line in (issued, redeemed, returned)] == [
        f"10 AUD of reward {number} issued",
        f"4 AUD of reward {number} redeemed, redemption {redeemed['redemption_id']}",
        f"1 AUD of reward {number} given back, redemption {redeemed['redemption_id']}",
    ]
    assert (redeemed["dollar_value"], redeemed["dollar_balance"]) == (-4, 6)
    assert (redeemed["type"], redeemed["type_attributes"]) == ("reward", {"id": number})
    assert redeemed["expires_at"] == "2031-03-20 00:00:00"
    assert {redeemed[f"point_{name}"] for name in ("value", "balance", "dollar_value")} == {0}
    for line in (issued, redeemed, returned):
        assert await api.data(f"/profiles/p-1/ledgers/{line['id']}") == line


async def test_lines_there_are_not(api: Api) -> None:
    await lived(api)
    refused(await api.get("/profiles/p-1/ledgers/99.0"), 404, "journal_line_not_found")
    refused(await api.get("/profiles/p-2/ledgers/2.0"), 404, "profile_not_found")
    for bad in ("x", "1", "1.", "0.0", "1.01", "1.0.0", "9999999999.0"):
        answer = await api.get(f"/profiles/p-1/ledgers/{bad}")
        refused(answer, 422, "validation_failed", "line_id")


async def test_the_history_tells_every_event_with_its_balance(api: Api) -> None:
    await lived(api)
    answer = (await api.get("/profiles/p-1/history")).json()
    told = [(entry["type"], entry["balance"]) for entry in answer["data"]]
    assert told == [
        ("ProfileRegistered", 0),
        ("RewardIssued", 10),
        ("RedemptionMade", 6),
        ("RedemptionReturned", 7),
    ]
    assert [entry["version"] for entry in answer["data"]] == [1, 2, 3, 4]
    assert all(entry["words"] for entry in answer["data"])
    assert (answer["meta"]["balance"], answer["meta"]["total"]) == (7, 4)
    page = (await api.get("/profiles/p-1/history?page[size]=3&page[number]=2")).json()
    assert page["data"] == answer["data"][3:]
    assert page["meta"]["last_page"] == 2


@pytest.mark.parametrize(
    ("as_of", "events", "balance"),
    [
        ("2031-03-10 09:29:59", 0, 0),
        ("2031-03-10 09:30:00", 2, 10),
        ("2031-03-10T20:30:00%2B11:00", 2, 10),
        ("2031-03-10 10:29:59", 2, 10),
        ("2031-03-10 10:30:00", 3, 6),
        ("2031-03-12 00:00:00", 4, 7),
        ("2031-03-21 00:00:00", 4, 0),
    ],
)
async def test_the_history_as_of_a_moment(api: Api, as_of: str, events: int, balance: int) -> None:
    await lived(api)
    answer = (await api.get(f"/profiles/p-1/history?as_of={as_of}")).json()
    assert (len(answer["data"]), answer["meta"]["balance"]) == (events, balance)


async def test_what_was_known_at_a_moment_is_another_question(api: Api) -> None:
    """The store's own clock is today's, while the test's is years ahead."""
    await lived(api)
    path = "/profiles/p-1/history?time=recorded"
    assert (await api.get(path)).json()["meta"]["total"] == 4
    before = (await api.get(f"{path}&as_of=2020-01-01 00:00:00")).json()
    assert (before["data"], before["meta"]["balance"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("as_of=yesterday", "as_of"),
        ("as_of=", "as_of"),
        ("as_of=2031-02-30 00:00:00", "as_of"),
        ("as_of=2031-03-10T00:00:00", "as_of"),
        ("time=business", "time"),
        ("page[after]=x", "page[after]"),
        ("page[size]=201", "page[size]"),
        ("filter[type]=x", "filter[type]"),
    ],
)
async def test_what_history_does_not_know(api: Api, query: str, field: str) -> None:
    await api.issue()
    answer = await api.get(f"/profiles/p-1/history?{query}")
    refused(answer, 422, "validation_failed", field)
