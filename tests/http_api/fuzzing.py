"""Requests drawn from the OpenAPI document, sent to the API, and what is wrong with the answers.

Schemathesis draws and judges; the API runs on the loop of the test, Hypothesis in a thread.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import requests
import schemathesis
from http_api.ledger_client import Api
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from api.bodies import BATCH

SEED = 20_310_310
URL = "http://ledger"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE


class Fuzz:
    """One API, its document, and what stands in it already."""

    def __init__(self, api: Api, document: dict[str, Any], known: Mapping[str, Any]) -> None:
        """`known` are ids there are, by the names parameters and fields have."""
        self._api, self._known = api, known
        self._loop = asyncio.get_running_loop()
        for operations in document["paths"].values():
            for operation in operations.values():
                operation.pop("security", None)  # who may call is tried elsewhere
        self._document = schemathesis.openapi.from_dict(document)

    async def run(self, method: str, path: str, examples: int) -> None:
        """Send requests as the document allows and forbids them: at random, and with known ids."""
        operation = self._document[path][method]
        names = self._known.keys() & {each["name"] for each in _in_path(operation)}
        fixed = {name: self._known[name] for name in names}
        drawn = [
            operation.as_strategy(generation_mode=mode, path_parameters=ids)
            for mode in (POSITIVE, NEGATIVE)
            for ids in ({}, fixed)
        ]

        @seed(SEED)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(drawn), at_known=st.booleans())
        def requests_of_any_kind(case: schemathesis.Case, at_known: bool) -> None:
            if at_known and case.meta is not None and case.meta.generation.mode is POSITIVE:
                case.body = self._with_known(case.body)
            self._try(case)

        await asyncio.to_thread(requests_of_any_kind)

    def _try(self, case: schemathesis.Case) -> None:
        sent = requests.Request(**case.as_transport_kwargs(base_url=URL)).prepare()
        headers = {name: value for name, value in sent.headers.items() if name != "Content-Length"}
        headers["Authorization"] = f"Bearer {self._api.token}"
        body = sent.body.encode() if isinstance(sent.body, str) else sent.body
        asked = self._api.client.request(
            sent.method or "", httpx.URL(sent.url or ""), headers=headers, content=body
        )
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop).result(timeout=30)
        # A batch is taken whatever its rows are like; each has a problem of its own.
        taken = case.path.endswith(BATCH) and answer.status_code == 200
        case.validate_response(answer, checks=CHECKS[:-1] if taken else CHECKS)

    def _with_known(self, body: Any) -> Any:
        """The body with ids that lead somewhere."""
        if isinstance(body, dict):
            return {
                name: self._known[name] if name in self._known else self._with_known(value)
                for name, value in body.items()
            }
        if isinstance(body, list):
            return [self._with_known(each) for each in body]
        return body


def _in_path(operation: Any) -> Iterator[dict[str, Any]]:
    for each in operation.path_parameters:
        yield {"name": each.name}
