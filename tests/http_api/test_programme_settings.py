"""The programme's settings over HTTP: read, changed, read as they were."""

import asyncio

import pytest
from http_api.ledger_client import Api, refused

from api.programme import CurrentSettings
from ledger.decider import ProgrammeSettings

PATH = "/programme/settings"
OF_ENVIRONMENT = {
    "version": 0,
    "currency": "AUD",
    "currency_digits": 2,
    "point_exchange_rate": 0.01,
    "reversal_window_seconds": 600,
    "return_policy": "reissue",
    "grace_days": 14,
    "clawback_policy": "debt",
    "zone": "UTC",
    "auto_register": True,
    "hold_seconds_max": 604800,
    "late_redemption_window_seconds": 259200,
    "issue_max": None,
    "return_max": None,
    "adjust_max": None,
    "changed_at": None,
    "changed_by": None,
}


async def test_until_the_first_change_the_environment_holds(api: Api) -> None:
    answer = await api.get(PATH)
    assert answer.json()["data"] == OF_ENVIRONMENT
    assert (answer.headers["etag"], answer.headers["ledger-position"]) == ('"0"', "0")
    assert await api.data(f"{PATH}/history") == []


async def test_every_setting_comes_back(api: Api) -> None:
    sent = {
        "currency": "NZD",
        "currency_digits": 1,
        "point_exchange_rate": 0.005,
        "reversal_window_seconds": 60,
        "return_policy": "restore",
        "grace_days": 7,
        "clawback_policy": "floor",
        "zone": "Pacific/Auckland",
        "auto_register": False,
        "hold_seconds_max": 900,
        "late_redemption_window_seconds": 3600,
        "issue_max": 99.5,
        "return_max": 50,
        "adjust_max": 0,
    }
    changed = await api.changed(PATH, sent)
    told = {"version": 1, "changed_at": "2031-03-10 09:30:00", "changed_by": "till"}
    assert changed == sent | told
    assert await api.data(PATH) == changed


async def test_quoted_numbers_mean_the_same(api: Api) -> None:
    changed = await api.changed(PATH, {"grace_days": "0", "issue_max": "12.50"})
    assert (changed["grace_days"], changed["issue_max"]) == (0, 12.5)


async def test_a_change_holds_at_once_and_for_what_comes_after_it(api: Api) -> None:
    before = await api.redeem_some()
    await api.changed(PATH, {"reversal_window_seconds": 0, "zone": "Australia/Melbourne"})
    after = await api.redeem_some()
    api.clock.forward(seconds=1)
    assert (await api.post(f"/redemptions/{before}/reversal")).status_code == 201
    refused(await api.post(f"/redemptions/{after}/reversal"), 409, "reversal_window_closed")
    issued = await api.issue(issued_at="2031-03-10 10:00:00")
    assert (issued["issued_at"], issued["timezone"]) == (
        "2031-03-09 23:00:00",
        "Australia/Melbourne",
    )


async def test_every_past_value_is_still_answered(api: Api) -> None:
    await api.changed(PATH, {"grace_days": 1})
    api.clock.forward(hours=1)
    await api.changed(PATH, {"grace_days": 2})
    api.clock.forward(hours=1)
    await api.changed(PATH, {"grace_days": 3})

    async def grace_days(query: str) -> int:
        found: int = (await api.data(f"{PATH}?{query}"))["grace_days"]
        return found

    assert await grace_days("as_of=2031-03-10 09:29:59") == 14
    assert await grace_days("as_of=2031-03-10 09:30:00") == 1
    assert await grace_days("as_of=2031-03-10T11:29:59Z") == 2
    assert await grace_days("as_of=2031-03-10 11:30:00&time=occurred") == 3
    # The store's own clock, which is not the test's, says when each was recorded.
    assert await grace_days("as_of=2001-01-01 00:00:00&time=recorded") == 14
    history = await api.data(f"{PATH}/history")
    assert [(v["version"], v["grace_days"], v["changed_at"]) for v in history] == [
        (3, 3, "2031-03-10 11:30:00"),
        (2, 2, "2031-03-10 10:30:00"),
        (1, 1, "2031-03-10 09:30:00"),
    ]
    assert {v["changed_by"] for v in history} == {"till"}
    changes = [v["changes"] for v in history]
    assert changes == [
        {"grace_days": {"from": 2, "to": 3}},
        {"grace_days": {"from": 1, "to": 2}},
        None,  # what the environment said before is written down nowhere
    ]
    assert len(await api.data(f"{PATH}/history?filter[version][lt]=3")) == 2


@pytest.mark.parametrize("query", ["as_of=yesterday", "time=never", "as_off=2031-01-01"])
async def test_a_moment_that_is_none_is_refused(api: Api, query: str) -> None:
    refused(await api.get(f"{PATH}?{query}"), 422, "validation_failed", query.partition("=")[0])


async def test_a_change_rests_on_the_version_it_names(api: Api) -> None:
    first = await api.put(PATH, {"grace_days": 1}, if_match='"0"')
    assert first.headers["etag"] == '"1"'
    refused(await api.put(PATH, {"grace_days": 2}, if_match='"0"'), 412, "precondition_failed")
    refused(await api.put(PATH, {"grace_days": 2}, if_match='"x"'), 400, "invalid_if_match")
    assert (await api.put(PATH, {"grace_days": 1}, if_match='"1"')).headers["etag"] == '"1"'


async def test_of_changes_to_one_version_one_succeeds(api: Api) -> None:
    answers = await asyncio.gather(
        *(api.put(PATH, {"grace_days": days}, if_match='"0"') for days in range(1, 9))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


async def test_a_dry_run_changes_nothing_and_shows_what_would_be(api: Api) -> None:
    tried = await api.changed(f"{PATH}?dry_run=true", {"currency": "JPY", "currency_digits": 0})
    assert (tried["version"], tried["currency"]) == (1, "JPY")
    assert await api.data(PATH) == OF_ENVIRONMENT
    assert api.services.settings.currency == "AUD"
    assert await api.head() == 0


async def test_a_repeat_has_the_first_answer(api: Api) -> None:
    first = await api.put(PATH, {"grace_days": 1}, idempotency_key="k")
    await api.changed(PATH, {"grace_days": 2})
    again = await api.put(PATH, {"grace_days": 1}, idempotency_key="k")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert (await api.data(PATH))["grace_days"] == 2


async def test_the_currency_can_be_chosen_before_there_are_amounts(api: Api) -> None:
    await api.changed(PATH, {"currency": "JPY", "currency_digits": 0})
    made = await api.define(value=500)
    assert made["value"] == 500
    assert (await api.issue(value=700, reward_definition_id=made["id"]))["value_initial"] == 700
    assert (await api.data("/profiles/p-1/balances"))["currency"] == "JPY"
    body = {"name": "R", "handle": "r", "value": 9.5, "type": "other", "period": 30}
    refused(await api.post("/rewards/definitions", body), 422, "invalid_amount")


async def test_the_currency_stays_once_there_is_a_definition(api: Api) -> None:
    await api.define()
    refused(await api.put(PATH, {"currency": "NZD"}), 409, "currency_frozen", "currency")
    refused(await api.put(PATH, {"currency_digits": 1}), 409, "currency_frozen")
    assert (await api.changed(PATH, {"currency": "AUD", "grace_days": 1}))["grace_days"] == 1


async def test_the_currency_stays_once_there_is_a_sale(api: Api) -> None:
    await api.sell()
    refused(await api.put(PATH, {"currency": "NZD"}), 409, "currency_frozen", "currency")
    assert (await api.changed(PATH, {"grace_days": 1}))["currency"] == "AUD"


async def test_another_process_learns_of_a_change(api: Api) -> None:
    elsewhere = CurrentSettings(ProgrammeSettings(), api.services.pool)
    await elsewhere.refresh()
    await api.changed(PATH, {"currency": "JPY", "currency_digits": 0})
    await api.define()
    assert elsewhere.settings.currency == "AUD"
    await elsewhere.refresh()
    assert elsewhere.settings == api.services.settings
    assert (elsewhere.settings.version, elsewhere.settings.currency) == (1, "JPY")


async def test_a_process_follows_the_log_until_it_is_stopped(api: Api) -> None:
    elsewhere = CurrentSettings(ProgrammeSettings(), api.services.pool)
    await api.changed(PATH, {"grace_days": 3})
    following = asyncio.create_task(elsewhere.follow())
    while elsewhere.settings.version == 0:
        await asyncio.sleep(0)
    await elsewhere.stop()
    await following
    assert elsewhere.settings.grace_days == 3


async def test_limits_hold_for_staff_from_their_change_on(api: Api) -> None:
    made = await api.define()
    await api.changed(PATH, {"issue_max": 5})
    token = await api.services.tokens.create("desk", ["create-rewards"])
    body = {"profile_id": "p-1", "reward_definition_id": made["id"]}
    answer = await api.post("/rewards", body, authorization=f"Bearer {token}")
    assert refused(answer, 403, "limit_exceeded").content["limit"] == 5
