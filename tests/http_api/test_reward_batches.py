"""A batch of rewards: a result per row, each on its own, the rows of one profile in their order."""

from typing import Any

import pytest
from http_api.ledger_client import Api, checked, refused

from api.batches import ROWS_MAX

PATH = "/rewards/batch.json"


async def issue_many(api: Api, rows: list[Any], **headers: str) -> dict[str, Any]:
    """What a batch gives."""
    response = await api.post(PATH, {"rewards": rows}, **headers)
    assert response.status_code == 200, response.text
    content: dict[str, Any] = response.json()
    assert [row["index"] for row in content["data"]] == list(range(len(rows)))
    return content


def statuses(content: dict[str, Any]) -> list[int]:
    return [row["status"] for row in content["data"]]


async def test_each_row_has_its_own_result(api: Api) -> None:
    definition = (await api.define(value=7))["id"]
    rows = [
        {"profile_id": "p-1", "reward_definition_id": definition},
        {"profile_id": "p-2", "reward_definition_id": str(definition), "value_initial": "2.50"},
        {"profile_id": "p-1", "reward_definition_id": definition, "external_id": "x-1"},
    ]
    content = await issue_many(api, rows)
    assert content["message"] == "3 of 3 rows accepted."
    assert content["meta"] == {"total": 3, "accepted": 3, "refused": 0}
    assert statuses(content) == [201, 201, 201]
    made = [row["data"] for row in content["data"]]
    assert [each["value_initial"] for each in made] == [7, 2.5, 7]
    for each in made:
        assert each == await api.data(f"/rewards/{each['id']}")
    assert (await api.balance("p-1"), await api.balance("p-2")) == (14, 2.5)


async def test_a_bad_row_spoils_no_other(api: Api) -> None:
    good = {"profile_id": "p-1", "reward_definition_id": (await api.define())["id"]}
    rows = [
        good | {"value_initial": -1},
        good,
        "a reward",
        good | {"value_initial": 1, "value_remaining": 2},
        good | {"no_such_field": 1},
        good | {"reward_definition_id": 999},
        {},
        good,
    ]
    content = await issue_many(api, rows)
    assert statuses(content) == [422, 201, 422, 422, 422, 422, 422, 201]
    assert content["meta"] == {"total": 8, "accepted": 2, "refused": 6}
    problems = {
        index: checked(row["problem"])
        for index, row in enumerate(content["data"])
        if "problem" in row
    }
    assert {index: problem.content["code"] for index, problem in problems.items()} == {
        0: "validation_failed",
        2: "validation_failed",
        3: "invalid_reward_terms",
        4: "validation_failed",
        5: "reward_definition_not_found",
        6: "validation_failed",
    }
    assert set(problems[0].errors) == {"value_initial"}
    assert set(problems[4].errors) == {"no_such_field"}
    assert set(problems[2].errors) == {"row"}
    assert await api.balance("p-1") == 20


async def test_the_rows_of_a_profile_keep_their_order(api: Api) -> None:
    """Also where a row has to wait for another under the same name."""
    definition = (await api.define())["id"]
    good = {"reward_definition_id": definition}
    rows = [
        good | {"profile_id": f"p-{n % 3}", "meta": {"row": n}, "external_id": f"x-{n}"}
        for n in range(60)
    ]
    rows[30] = rows[0]
    content = await issue_many(api, rows)
    assert statuses(content) == [200 if n == 30 else 201 for n in range(60)]
    for profile in range(3):
        told = await api.data(f"/profiles/p-{profile}/rewards?sort=id&page[size]=60")
        mine = [n for n in range(60) if n % 3 == profile and n != 30]
        assert [each["meta"]["row"] for each in told] == mine
    assert content["data"][30]["data"]["id"] == content["data"][0]["data"]["id"]


async def test_one_external_id_for_two_requests_is_taken(api: Api) -> None:
    good = {"reward_definition_id": (await api.define())["id"], "external_id": "x"}
    rows = [
        good | {"profile_id": "p-1"},
        good | {"profile_id": "p-2"},
        good | {"profile_id": "p-1"},
    ]
    content = await issue_many(api, rows)
    assert statuses(content) == [201, 409, 200]
    assert content["data"][1]["problem"]["code"] == "external_id_taken"
    refused(await api.get("/profiles/p-2/balances"), 404, "profile_not_found")


async def test_a_repeat_under_its_key_doubles_nothing(api: Api) -> None:
    definition = await api.define(name="As it was")
    good = {"profile_id": "p-1", "reward_definition_id": definition["id"]}
    body = {"rewards": [good, good | {"value_initial": 1, "value_remaining": 2}, good]}
    first = await api.post(PATH, body, idempotency_key="k")
    await api.changed(f"/rewards/definitions/{definition['id']}", {"name": "As it is"})
    head = await api.head()
    again = await api.post(PATH, body, idempotency_key="k")
    assert again.content == first.content
    assert again.headers["ledger-position"] == first.headers["ledger-position"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await api.head() == head
    assert await api.balance("p-1") == 20


async def test_a_batch_mended_under_its_key_issues_what_was_refused(api: Api) -> None:
    good = {"profile_id": "p-1", "reward_definition_id": (await api.define())["id"]}
    await issue_many(api, [good, good | {"value_initial": "ten"}], idempotency_key="k")
    content = await issue_many(api, [good, good | {"value_initial": 3}], idempotency_key="k")
    assert statuses(content) == [201, 201]
    assert await api.balance("p-1") == 13
    content = await issue_many(api, [good | {"value_initial": 9}, good], idempotency_key="k")
    assert statuses(content) == [422, 422]
    assert {row["problem"]["code"] for row in content["data"]} == {"idempotency_key_reused"}
    assert await api.balance("p-1") == 13


async def test_the_keys_of_rows_are_no_keys_of_clients(api: Api) -> None:
    good = {"profile_id": "p-1", "reward_definition_id": (await api.define())["id"]}
    await issue_many(api, [good], idempotency_key="k")
    for key in ("k", "0 k"):
        assert (await api.post("/rewards", good, idempotency_key=key)).status_code == 201
    assert await api.balance("p-1") == 30
    body = {"rewards": [good]}
    refused(await api.post(PATH, body, idempotency_key=" 0 k"), 400, "invalid_idempotency_key")


async def test_a_dry_run_writes_nothing(api: Api) -> None:
    good = {"profile_id": "p-1", "reward_definition_id": (await api.define())["id"]}
    head = await api.head()
    response = await api.post(f"{PATH}?dry_run=true", {"rewards": [good, {}]})
    assert statuses(response.json()) == [200, 422]
    assert response.json()["data"][0]["data"]["id"] is None
    assert await api.head() == head


@pytest.mark.parametrize("count", [0, ROWS_MAX + 1])
async def test_a_batch_has_from_one_to_a_thousand_rows(api: Api, count: int) -> None:
    refused(await api.post(PATH, {"rewards": [{}] * count}), 422, "validation_failed", "rewards")


async def test_a_thousand_rows_at_once(api: Api) -> None:
    good = {"reward_definition_id": (await api.define())["id"], "value_initial": 1}
    rows = [good | {"profile_id": f"p-{n % 7}"} for n in range(ROWS_MAX)]
    content = await issue_many(api, rows, idempotency_key="k")
    assert content["meta"]["accepted"] == ROWS_MAX
    assert await api.balance("p-0") == 143


async def test_a_body_of_a_million_rows_is_turned_away_unread(api: Api) -> None:
    for content in (b'{"rewards": [' + b"{}," * 1_000_000 + b"{}]}", b"[" * 4_200_000):
        refused(await api.send_bytes("POST", PATH, content), 413, "body_too_large")


async def test_a_batch_may_be_larger_than_other_bodies(api: Api) -> None:
    good = {"profile_id": "p-1", "reward_definition_id": (await api.define())["id"]}
    content = await issue_many(api, [good | {"meta": {"note": "x" * 9_000}}] * 200)
    assert content["meta"]["accepted"] == 200
