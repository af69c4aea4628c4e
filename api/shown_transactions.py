"""A transaction as an answer shows it: right after the command that recorded or changed it."""

from collections.abc import Mapping
from typing import Any, Final

from api.commanding import Answered
from api.documents.transactions import document
from api.folding import folded
from api.reading import row_after, row_named
from ledger.submission import AlreadyThere
from ledger.transactions.changes import is_stale
from ledger.transactions.state import Transaction
from projections.read_models import transactions
from schemas.transaction_changes import TransactionChanges, UpsertTransaction
from schemas.transactions import TransactionRecorded

MODEL = transactions.PROJECTION
CREATED: Final = 201
DONE: Final = 200


async def recorded(answered: Answered) -> tuple[int, dict[str, Any]]:
    """The status and the transaction a command has recorded, or found there."""
    services, answer = answered.services, answered.answer
    if isinstance(answer, AlreadyThere):
        return DONE, document(await row_named(services, MODEL, answer), services)
    (row,) = folded(MODEL, answer.stream_id, answered.events, answered.at).values()
    shown = document(row, services)
    if answered.dry_run:
        shown["id"] = None
    return CREATED, shown


async def upserted(answered: Answered, command: UpsertTransaction) -> tuple[int, dict[str, Any]]:
    """The same for one that may have changed what was there."""
    answer = answered.answer
    if any(isinstance(event, TransactionRecorded) for event in answered.events):
        return await recorded(answered)
    standing: Transaction = answer.state
    row = await row_after(answered, MODEL, answer.stream_id, (standing.id,))
    return DONE, shown_with_staleness(row, answered, command)


def shown_with_staleness(
    row: Mapping[str, Any], answered: Answered, told: TransactionChanges
) -> dict[str, Any]:
    """The transaction, and `stale` where the sender's version was too old to change it."""
    shown = document(row, answered.services)
    state = answered.answer.state
    if not answered.events and isinstance(state, Transaction) and is_stale(told, state):
        shown["stale"] = True
    return shown
