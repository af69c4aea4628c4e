"""Runs a Postman collection: its requests in order, its scripts in a real JavaScript engine."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from py_mini_racer import MiniRacer

SANDBOX = (Path(__file__).parent / "postman_sandbox.js").read_text(encoding="utf-8")
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")


class Run:
    """One run from top to bottom. `checks` are the names of the tests, with what failed."""

    def __init__(self, collection: dict[str, Any], client: httpx.AsyncClient, **given: str) -> None:
        self._collection = collection
        self._client = client
        self.variables: dict[str, Any] = {
            each["key"]: each["value"] for each in collection["variable"]
        } | given
        self.checks: list[tuple[str, str | None]] = []

    async def run(self) -> None:
        for item in self._collection["item"]:
            self._script(item, "prerequest", {"code": 0, "text": "null"})
            response = await self._send(item["request"])
            self._script(item, "test", {"code": response.status_code, "text": response.text})

    async def _send(self, request: dict[str, Any]) -> httpx.Response:
        bearer = self._collection["auth"]["bearer"][0]["value"]
        headers = {each["key"]: each["value"] for each in request["header"]}
        headers["Authorization"] = f"Bearer {self._filled(bearer)}"
        content = self._filled(request["body"]["raw"]) if "body" in request else None
        url = self._filled(request["url"]["raw"])
        return await self._client.request(request["method"], url, headers=headers, content=content)

    def _filled(self, text: str) -> str:
        return _VARIABLE.sub(lambda found: str(self.variables[found[1]]), text)

    def _script(self, item: dict[str, Any], listen: str, answer: dict[str, Any]) -> None:
        for script in scripts(item, listen):
            given = {"variables": self.variables, "answer": answer, "guid": str(uuid4())}
            names = "".join(f"const {name} = {json.dumps(each)};\n" for name, each in given.items())
            engine = MiniRacer()
            try:
                # In a function of its own, so that its names don't meet the sandbox's.
                whole = f"{names}{SANDBOX}(() => {{ {script}\n}})();"
                told = engine.eval(f"{whole} JSON.stringify([variables, results])")
            finally:
                # An engine that is left open keeps the interpreter from ending.
                engine.close()
            self.variables, results = json.loads(str(told))
            self.checks += [(name, failure) for name, failure in results]


def scripts(item: dict[str, Any], listen: str) -> Iterator[str]:
    """The scripts of a request for one occasion."""
    for event in item.get("event", ()):
        if event["listen"] == listen:
            yield "\n".join(event["script"]["exec"])
