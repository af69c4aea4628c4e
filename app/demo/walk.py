"""The walk: each step shows what goes in and what comes out, and checks what is expected of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from api.examples import DEFINITION_BODY, TRANSACTION_BODY
from app.demo import payloads
from app.demo.showing import Showing

REQUEST_SECONDS_MAX = 15.0
NAME_ATTEMPTS_MAX = 1_000


class WalkFailed(Exception):
    """The ledger answered otherwise than the article says."""


@dataclass
class Walk:
    """One profile's way through the four steps."""

    client: httpx.AsyncClient
    showing: Showing
    profile_id: str = field(default_factory=lambda: str(uuid4()))
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    differences: list[str] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)

    async def run(self) -> None:
        """All of it. What differs is in `differences`.

        Raises:
            WalkFailed: an answer without which the next step has no meaning.
        """
        self.showing.note("In the answers below, fields without a value are left out.")
        definition_id = await self._define()
        await self._issue(definition_id)
        await self._balance(10)
        redemption_id = await self._redeem()
        await self._balance(0)
        await self._sell(redemption_id)
        await self._explain()

    async def _define(self) -> int:
        self.showing.step("1. Create a reward definition")
        handle = DEFINITION_BODY["handle"]
        found = await self._ask("GET", "/reward-definitions", {"filter[handle]": handle})
        for known in found["data"]:
            if known["archived_at"] is None and known["value"] == 10:
                self.showing.note(
                    f"An earlier run has defined {handle!r} already (id {known['id']}). You don't"
                    " have to create a definition each time, so this run goes on with it."
                )
                return int(known["id"])
        if found["data"]:
            handle = f"{handle}-{uuid4().hex[:8]}"
            self.showing.note(f"The article's handle stands for something else: using {handle!r}.")
        data = await self._send("/reward-definitions", payloads.definition(handle))
        self._expect(data, {"name": "Birthday Reward", "handle": handle, "value": 10})
        return int(data["id"])

    async def _issue(self, definition_id: int) -> None:
        self.showing.step("2. Create a reward, assigned to a profile")
        body = payloads.reward(definition_id, self.profile_id, self.now())
        data = await self._send("/rewards", body)
        self._expect(
            data, {"profile_id": self.profile_id, "value_initial": 10, "value_remaining": 10}
        )

    async def _balance(self, expected: int) -> None:
        self.showing.step(f"The profile's balance: {expected}")
        answer = await self._show("GET", f"/profiles/{self.profile_id}/balances")
        self._expect(
            answer["data"],
            {
                "reward_balance": expected,
                "point_balance": 0,
                "point_balance_dollars": 0,
                "combined_balance_dollars": expected,
            },
        )

    async def _redeem(self) -> int:
        self.showing.step("3. Redeem the reward balance")
        path = f"/profiles/{self.profile_id}/redeem"
        data = await self._send(path, payloads.redemption())
        self._expect(data, {"total": 10})
        self._expect(data["balances"], {"reward_balance": 0}, "balances.")
        return int(data["id"])

    async def _sell(self, redemption_id: int) -> None:
        self.showing.step("4. Create a transaction and link it to the redemption")
        external_id = await self._free_external_id()
        body = payloads.transaction(self.profile_id, redemption_id, external_id, self.now())
        made = await self._send("/transactions", body)
        expected = {"total": 10, "redemption_id": redemption_id, "redemption_total": 10}
        self._expect(made, expected)
        read = await self._show("GET", f"/transactions/{made['id']}")
        self._expect(read["data"], expected | {"id": made["id"]})
        shares = [item["redemption_share"] for item in read["data"]["items"]]
        self._expect({"shares": sum(shares)}, {"shares": 10 - read["data"]["unallocated"]})
        redemption = await self._ask("GET", f"/redemptions/{redemption_id}")
        self._expect(redemption["data"], {"total": 10, "transaction_id": made["id"]}, "redemption.")

    async def _explain(self) -> None:
        self.showing.step("Why the balance is what it is: the profile's history")
        answer = await self._ask("GET", f"/profiles/{self.profile_id}/history")
        self.history = answer["data"]
        for entry in self.history:
            self.showing.line(
                f"  {entry['version']:>2}  {entry['occurred_at']}  {entry['change']:>+4}"
                f"  → {entry['balance']:>3}   {entry['words']}"
            )
        balances = [entry["balance"] for entry in self.history]
        self._expect({"last balance": balances[-1] if balances else None}, {"last balance": 0})
        self._expect({"highest balance": max(balances, default=None)}, {"highest balance": 10})

    async def _free_external_id(self) -> str:
        """The article's receipt number, or the next one nobody has used."""
        first = str(TRANSACTION_BODY["external_id"])
        for number in range(NAME_ATTEMPTS_MAX):
            external_id = str(int(first) + number)
            answer = await self._request("GET", f"/transactions/external/{external_id}", None)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return external_id
        return f"{first}-{uuid4().hex[:8]}"

    async def _send(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        data: dict[str, Any] = (await self._show("POST", path, body))["data"]
        return data

    async def _show(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        self.showing.request(method, f"/api/v3{path}", body)
        answer = await self._request(method, path, body)
        self.showing.answer(answer.status_code, answer.text)
        return _document(method, path, answer)

    async def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """A request that is not shown."""
        answer = await self._request(method, path, None, query)
        return _document(method, path, answer)

    async def _request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        try:
            return await self.client.request(method, f"/api/v3{path}", json=body, params=query)
        except httpx.HTTPError as error:
            raise WalkFailed(f"{method} /api/v3{path} got no answer: {error!r}") from error

    def _expect(
        self, found: Mapping[str, Any], expected: Mapping[str, Any], prefix: str = ""
    ) -> None:
        for name, value in expected.items():
            if found.get(name) != value:
                difference = f"{prefix}{name} is {found.get(name)!r}, expected {value!r}"
                self.differences.append(difference)
                self.showing.difference(difference)


def _document(method: str, path: str, answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise WalkFailed(f"{method} /api/v3{path} was answered {answer.status_code}: {answer.text}")
    document: dict[str, Any] = answer.json()
    return document
