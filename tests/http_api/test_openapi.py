"""The OpenAPI document and its pages: valid, true, and without any other host."""

import re
from typing import Any

import jsonschema
import pytest
from http_api.ledger_client import Api
from http_api.test_bad_requests import ROUTES

from api import examples
from api.bodies import BATCH
from api.error_catalogue import entries


async def test_the_document_is_valid_and_complete(api: Api) -> None:
    document = (await api.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    shown = {
        f"{method.upper()} {path.removeprefix('/api/v3')}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    wanted = {name.replace(":path", "") for name in ROUTES if "reward-definitions" not in name}
    wanted.discard("POST /profiles/{profile_id}/redemptions")
    wanted.discard("POST /profiles/{profile_id}/merge")
    assert shown == wanted | {"GET /healthz", "GET /readyz"}
    names = [op["operationId"] for ops in document["paths"].values() for op in ops.values()]
    assert len(names) == len(set(names))
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


async def test_every_operation_says_what_it_takes(api: Api) -> None:
    document = (await api.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            names = [(p["in"], p["name"]) for p in operation.get("parameters", ())]
            assert len(names) == len(set(names)), path
            assert operation["summary"], path
            if not path.startswith("/api"):
                continue
            assert operation["security"], path
            assert operation["description"], path
            answers = ({"200"}, {"200", "201"}, {"204"})
            assert set(operation["responses"]) in [each | {"4XX", "5XX"} for each in answers]
            for status in operation["responses"].keys() & {"200", "201"}:
                ((kind, schema),) = operation["responses"][status]["content"].items()
                assert kind == "text/csv" or schema["schema"]["required"], path
            problem = operation["responses"]["4XX"]["content"]["application/problem+json"]
            refusal = (await api.send(method, path, authorization="")).json()
            jsonschema.validate(refusal, problem["schema"])
            if method != "get":
                assert {("query", "dry_run"), ("header", "Idempotency-Key")} <= set(names), path


def example_bodies(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every example of a request."""
    return [
        (method, path.removeprefix("/api/v3"), example["value"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for content in operation.get("requestBody", {}).get("content", {}).values()
        for example in content.get("examples", {}).values()
    ]


async def test_every_example_is_taken_by_its_route(api: Api) -> None:
    document = (await api.get("/openapi.json")).json()
    found = example_bodies(document)
    assert {path for _, path, _ in found} == {
        "/profiles",
        "/profiles/{profile_id}",
        "/rewards/definitions",
        "/rewards",
        "/rewards/batch.json",
        "/rewards/extend",
        "/rewards/{reward_id}",
        "/rewards/{reward_id}/revoke",
        "/profiles/{profile_id}/rewards/{reward_id}",
        "/profiles/{profile_id}/rewards",
        "/profiles/{profile_id}/redeem",
        "/redemptions/{redemption_id}/capture",
        "/redemptions/{redemption_id}/return",
        "/profiles/merge",
        "/transactions",
        "/programme/settings",
        "/transactions/update-create",
        "/transactions/queue",
        "/transactions/incentive-estimate",
        "/transactions/batch.json",
        "/profiles/{profile_id}/transactions/claims",
        "/access/tokens",
        "/access/users",
        "/access/users/{user_name}",
        "/profiles/{profile_id}/identities",
        "/profiles/search-id",
    }
    order = {
        "/rewards/definitions": 0,
        "/rewards": 1,
        "/profiles/search-id": 6,
        "/profiles/{profile_id}/redeem": 7,
        "/redemptions/{redemption_id}/capture": 8,
        "/redemptions/{redemption_id}/return": 8,
        "/rewards/{reward_id}/revoke": 8,
        "/transactions": 9,
        "/profiles/merge": 10,
        "/access/users/{user_name}": 10,
    }
    ids: dict[str, Any] = {}
    extendable = (await api.define(is_extendable=True))["id"]
    made = await api.issue(examples.PROFILE_ID, reward_definition_id=extendable)
    await api.issue("p-2")
    for method, path, example in sorted(found, key=lambda each: order.get(each[1], 5)):
        body = dict(example)
        if "rewards" in body:
            named = {"reward_definition_id": ids["/rewards/definitions"]}
            body["rewards"] = [row | named for row in body["rewards"]]
        if "reward_definition_id" in body:
            body["reward_definition_id"] = ids["/rewards/definitions"]
            # The article's reward has expired long since.
            body["expires_at"] = "2032-02-10 12:59:59"
        if "redemption_id" in body:
            body["redemption_id"] = ids["/profiles/{profile_id}/redeem"]
        if "ids" in body:
            body["ids"] = [made["id"]]
        redemption = ids.get(
            "held" if path.endswith("capture") else "/profiles/{profile_id}/redeem"
        )
        url = path.replace("{profile_id}", examples.PROFILE_ID)
        url = url.replace("{redemption_id}", str(redemption)).replace("{user_name}", "ada")
        response = await api.send(method.upper(), url.replace("{reward_id}", f"{made['id']}"), body)
        shown = response.json().get("data")
        if path.endswith("/queue"):
            assert response.json()["message"] == "OK"
        elif path.endswith(BATCH):
            assert shown[0]["status"] == 201, response.text
        elif "ids" in body:
            assert response.status_code == 200, response.text
        else:
            assert response.status_code in (200, 201), response.text
            ids.setdefault("held" if "hold" in body else path, shown.get("id"))
        schema = document["paths"][f"/api/v3{path}"][method]["requestBody"]["content"]
        reference = schema["application/json"]["schema"]
        validator = jsonschema.Draft202012Validator(
            reference | {"components": document["components"]}
        )
        validator.validate(example)


async def test_the_pages_need_no_other_host(api: Api) -> None:
    page = await api.client.get("/docs")
    assert page.status_code == 200
    links = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    urls = re.findall(r"""url: ["']([^"']+)""", page.text)
    assert len(links) == 3
    assert urls == ["/api/v3/openapi.json"]
    for link in (*links, *urls):
        assert link.startswith("/")
        assert not link.startswith("//")
        assert (await api.client.get(link)).status_code == 200
    assert "://" not in page.text
    start = await api.client.get("/")
    assert start.headers["location"] == "/docs"


async def test_the_type_of_a_problem_leads_to_its_meaning(api: Api) -> None:
    page = (await api.client.get("/docs/errors")).text
    for entry in entries():
        assert f"<h2 id={entry.code}>" in page


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_need_no_token(api: Api, path: str) -> None:
    assert (await api.client.get(path)).status_code == 200
