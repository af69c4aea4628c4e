"""A reward as an answer shows it: its row, with the definition beside it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.commanding import Answered
from api.documents.rewards import document
from api.folding import folded, folded_on
from api.reading import fresh_row, row_at_position, row_named, whole_stream
from api.services import Services
from ledger.account.reward_changes import revision
from ledger.programme.state import PROGRAMME_STREAM
from ledger.streams import event_of
from ledger.submission import AlreadyThere
from projections.projection import Rows
from projections.read_models import reward_definitions, rewards

MODEL = rewards.PROJECTION
DEFINITIONS = reward_definitions.PROJECTION


class Definitions:
    """All versions of all definitions, read once for an answer with many rewards."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._versions: dict[tuple[int, int], Mapping[str, Any]] = {}

    async def version_of(self, reward: Mapping[str, Any]) -> Mapping[str, Any]:
        """The version a reward was issued under."""
        key = (reward["definition_id"], reward["definition_version"])
        if key not in self._versions:
            await self._read()
        return self._versions[key]

    async def _read(self) -> None:
        rows: Rows = {}
        for record in await whole_stream(self._services.store, PROGRAMME_STREAM):
            event = event_of(record)
            rows = folded_on(DEFINITIONS, record, event, rows)
            for key in DEFINITIONS.keys(record, event):
                if row := rows.get(key):
                    self._versions[row["definition_id"], row["definition_version"]] = row


def revision_of(row: Mapping[str, Any]) -> str:
    """What an adjustment may rest on."""
    open_books = ("available_minor", "pending_minor", "held_minor")
    return revision(
        row["adjustments"],
        row["value_initial_minor"],
        sum(row[book] for book in open_books),
        row["held_minor"],
        row["expires_at"],
    )


async def issued(
    answered: Answered, definitions: Definitions | None = None
) -> tuple[int, dict[str, Any]]:
    """The status and the reward an accepted command has issued, or found there."""
    services, answer = answered.services, answered.answer
    if isinstance(answer, AlreadyThere):
        row = await row_named(services, MODEL, answer)
        as_of = answered.position or None
        return 200, await with_definition(services, row, answered.at, as_of)
    rows = folded(MODEL, answer.stream_id, answered.events, answered.at)
    (row,) = rows.values()
    if definitions is not None:
        definition = await definitions.version_of(row)
        shown = document({**row, "definition": definition}, services, answered.at)
    else:
        as_of = answered.position if answered.replayed else None
        shown = await with_definition(services, row, answered.at, as_of)
    if answered.dry_run:
        shown["id"] = None
    return (200 if answered.dry_run else 201), shown


async def with_definition(
    services: Services, row: Mapping[str, Any], now: datetime, position: int | None = None
) -> dict[str, Any]:
    """The reward with its definition in the newest version, or as it was at a position."""
    model, key = DEFINITIONS, (row["definition_id"],)
    if position is None:
        definition, _ = await fresh_row(services, model, PROGRAMME_STREAM, key)
    else:
        definition = await row_at_position(services, model, PROGRAMME_STREAM, key, position)
    return document({**row, "definition": definition}, services, now)
