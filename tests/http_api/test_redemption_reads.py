"""What redemptions are asked for: filters, the rewards they took value from, counts and groups."""

import pytest
from http_api.ledger_client import Api, refused


async def test_each_item_shows_the_reward_with_its_definition(api: Api) -> None:
    definition = await api.define(name="Birthday")
    reward = await api.issue(value=10, reward_definition_id=definition["id"])
    made = await api.redeem(amount=4)
    await api.delete(f"/rewards/{reward['id']}")
    for path in ("/profiles/p-1/redemptions", "/redemptions"):
        (shown,) = await api.data(path)
        assert shown == await api.data(f"{path}/{made['id']}")
        (item,) = shown["items"]
        assert (item["id"], item["type"], item["value"]) == (reward["id"], "reward", 4)
        attributes = item["type_attributes"]
        assert (attributes["value_initial"], attributes["is_revoked"]) == (10, True)
        assert attributes["definition"]["name"] == "Birthday"


async def test_the_filters_of_the_original_platform(api: Api) -> None:
    await api.issue(value=20)
    told = {"location_id": 12, "transaction_receipt_ref": "rc-1", "transaction_external_id": "t-1"}
    one = (await api.redeem(amount=4, **told))["id"]
    other = (await api.redeem(amount=3, location_id="Shop 7"))["id"]
    back = (await api.made(f"/redemptions/{other}/return", {"location_id": 12}))["id"]
    held = (await api.redeem(amount=1, hold="PT5M"))["id"]
    wanted = {
        "location_id]=12": [back, one],
        "location_id]=Shop 7": [other],
        "transaction_receipt_ref]=rc-1": [one],
        "transaction_external_id]=t-1": [one],
        "status]=held": [held],
        "status]=redeemed": [other, one],
        "type]=return": [back],
        "has_reward]=true": [held, back, other, one],
        "has_point]=true": [],
        "has_credit]=1": [],
        "has_benefit]=false": [held, back, other, one],
        "linked]=false": [held, back, other, one],
    }
    for name, ids in wanted.items():
        assert await api.ids(f"/profiles/p-1/redemptions?filter[{name}") == ids, name


async def test_how_often_a_reward_was_redeemed_from(api: Api) -> None:
    first = await api.issue(value=5, expires_at="2031-04-01 00:00:00")
    second = await api.issue(value=20)
    for amount in (4, 2, 1):
        undone = await api.redeem(amount=amount)
    path = "/profiles/p-1/redemptions/reward"
    assert await api.data(f"{path}/{first['id']}/count") == {"count": 2}
    assert await api.data(f"{path}/{second['id']}/count") == {"count": 2}
    await api.made(f"/redemptions/{undone['id']}/reversal")
    await api.redeem(amount=1, hold="PT5M")
    assert await api.data(f"{path}/{second['id']}/count") == {"count": 1}
    assert await api.data(f"{path}/99/count") == {"count": 0}
    assert await api.data("/profiles/p-1/redemptions/point/1/count") == {"count": 0}
    refused(await api.get("/profiles/nobody/redemptions/reward/1/count"), 404, "profile_not_found")
    refused(await api.get("/profiles/p-1/redemptions/gift/1/count"), 422, "validation_failed")


async def test_groups_count_and_sum(api: Api) -> None:
    for profile, amounts in (("p-1", (4, 2)), ("p-2", (1,))):
        await api.issue(profile, 10)
        for amount in amounts:
            made = await api.redeem(profile, amount, location_id=amount)
    await api.made(f"/redemptions/{made['id']}/return", {"amount": "0.50"})
    for profile in ("p-1", "p-2"):
        await api.data(f"/profiles/{profile}/redemptions")
    assert await api.data("/redemptions/group/type") == [
        {"type": "redeem", "count": 3, "total": 7, "returned": 0.5},
        {"type": "return", "count": 1, "total": 0.5, "returned": 0},
    ]
    kind = "filter[type]=redeem"
    by_profile = await api.data(f"/redemptions/group/profile_id?{kind}")
    assert [(each["profile_id"], each["total"]) for each in by_profile] == [("p-1", 6), ("p-2", 1)]
    (day,) = await api.data(f"/redemptions/group/redeem_on?{kind}")
    assert (day["redeem_on"], day["count"]) == ("2031-03-10", 3)
    (linked,) = await api.data(f"/redemptions/group/linked?{kind}")
    assert (linked["linked"], linked["count"]) == (False, 3)
    page = (await api.get(f"/redemptions/group/profile_id?{kind}&page[size]=1")).json()
    assert (len(page["data"]), page["meta"]["total"], page["meta"]["last_page"]) == (1, 2, 2)
    assert "page[number]=2" in page["links"]["next"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/redemptions/group/meta", "attribute"),
        ("/redemptions/group/type?filter[gold]=1", "filter[gold]"),
        ("/redemptions/group/type?page[size]=0", "page[size]"),
        ("/redemptions/group/type?sort=type", "sort"),
    ],
)
async def test_a_group_there_is_not(api: Api, path: str, field: str) -> None:
    refused(await api.get(path), 422, "validation_failed", field)
