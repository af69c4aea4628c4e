"""The rewards that redemptions took value from, read together for a page of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from api.documents.rewards import document
from api.past import PastProfile, definitions_at, rows_at
from api.queries import fetch, from_json
from api.reading import plain
from api.reward_lists import LISTING, MODEL, TABLE
from api.services import Services
from ledger.programme.state import PROGRAMME_STREAM
from projections.read_models import reward_definitions


class Incentives:
    """Each reward with its definition, as it is at a moment, once it has been loaded."""

    def __init__(self, services: Services, now: datetime) -> None:
        self._services = services
        self._now = now
        self._rewards: dict[int, dict[str, Any]] = {}

    async def load(self, redemptions: Iterable[Mapping[str, Any]]) -> None:
        """Read the rewards of these redemptions in one go, revoked ones too."""
        wanted = {item["reward_id"] for row in redemptions for item in row["items"]}
        if not wanted:
            return
        await self._services.reads.catch_up(reward_definitions.PROJECTION, PROGRAMME_STREAM)
        statement = LISTING.select().where(TABLE.c.reward_id.in_(sorted(wanted)))
        for row in await fetch(self._services, statement):
            definition = from_json(row["definition"])
            reward = {**plain(TABLE, row), "definition": definition}
            self._rewards[row["reward_id"]] = document(reward, self._services, self._now)

    def of(self, reward_id: int) -> dict[str, Any] | None:
        """A reward; None while its read model has not seen it, as in lists over all profiles."""
        found = self._rewards.get(reward_id)
        return None if found is None else dict(found)


class PastIncentives(Incentives):
    """The same as of another moment than now, also of rewards that are another profile's since."""

    def __init__(self, services: Services, past: PastProfile) -> None:
        super().__init__(services, past.at)
        self._past = past

    async def load(self, redemptions: Iterable[Mapping[str, Any]]) -> None:
        """Fold them from the log, all at once."""
        wanted = {item["reward_id"] for row in redemptions for item in row["items"]}
        if not wanted:
            return
        definitions = (await definitions_at(self._services, self._past.cut)).newest
        for row in await rows_at(self._services, self._past, MODEL, everybodys=True):
            if row["reward_id"] in wanted:
                reward = {**row, "definition": definitions[row["definition_id"]]}
                self._rewards[row["reward_id"]] = document(reward, self._services, self._now)
