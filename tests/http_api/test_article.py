"""The article's four steps over HTTP with its own payloads and its own dates."""

from datetime import UTC, datetime

from http_api.ledger_client import Api

from api.examples import DEFINITION_BODY, REDEMPTION_BODY, REWARD_BODY, TRANSACTION_BODY


async def test_the_article_step_by_step_on_its_own_day(api: Api) -> None:
    api.clock.now = datetime(2021, 2, 10, 1, 0, tzinfo=UTC)
    definition = await api.made("/rewards/definitions", DEFINITION_BODY)
    assert {name: definition[name] for name in DEFINITION_BODY} == DEFINITION_BODY | {
        "value": 10,
        "period": 30,
    }
    reward = await api.made(
        "/rewards", REWARD_BODY | {"reward_definition_id": str(definition["id"])}
    )
    profile = REWARD_BODY["profile_id"]
    assert reward["value_initial"] == reward["value_remaining"] == 10
    assert reward["issued_at"] == "2021-02-09 23:00:00"
    assert reward["issued_local_at"] == "2021-02-10 10:00:00"
    assert reward["expires_at"] == "2022-02-10 01:59:59"
    assert reward["definition"]["handle"] == "birthday-reward"
    balances = await api.data(f"/profiles/{profile}/balances")
    assert balances["reward_balance"] == 10
    assert balances["combined_balance_dollars"] == 10
    redemption = await api.made(f"/profiles/{profile}/redeem", REDEMPTION_BODY)
    assert redemption["total"] == 10
    assert redemption["items"] == [
        {"id": reward["id"], "type": "reward", "value": 10, "returned": 0, "count": 1}
    ]
    assert redemption["balances"]["reward_balance"] == 0
    assert (await api.data(f"/profiles/{profile}/balances"))["reward_balance"] == 0
    transaction = await api.made(
        "/transactions", TRANSACTION_BODY | {"redemption_id": redemption["id"]}
    )
    assert transaction["redemption_id"] == redemption["id"]
    assert transaction["redemption_total"] == 10
    assert transaction["items"][0]["redemption_share"] == 10
    assert transaction["items"][0]["price_current"] == 9.99
    assert transaction["total_original"] == 9.99
    assert transaction == await api.data(f"/transactions/{transaction['id']}")
    linked = await api.data(f"/redemptions/{redemption['id']}")
    assert linked["transaction_id"] == transaction["id"]
    history = await api.data(f"/profiles/{profile}/history")
    assert [entry["balance"] for entry in history] == [0, 10, 0, 0, 0]
