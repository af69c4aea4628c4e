"""Transactions, redemptions and rewards by their numbers and by the senders' names for them.

Ids and external ids are looked up among the names the log keeps for ever, so what was just made is
found; receipts and announcements in the read models, which follow a moment later.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import ColumnElement, select

from api.documents import redemptions as redemption_documents
from api.documents import rewards as reward_documents
from api.problems import Refused
from api.queries import fetch
from api.reading import Row, fresh_row, held_row, plain, row_under
from api.search.asking import OF_A_WAY_MAX, Asked, Hit, Kind
from api.services import Services
from ledger.event_store.port import Claim
from ledger.programme.state import PROGRAMME_STREAM
from ledger.transactions.state import TRANSACTION_PREFIX, transaction_stream
from projections.projection import Projection
from projections.read_models import redemptions, reward_definitions, rewards, transactions
from schemas.amounts import from_minor
from schemas.times import utc_text

SCOPES: Final[dict[Kind, str]] = {
    "transaction": "read-transactions",
    "redemption": "read-redemptions",
    "reward": "read-rewards",
}
_HELD: Final[dict[Kind, Projection]] = {
    "redemption": redemptions.PROJECTION,
    "reward": rewards.PROJECTION,
}
_SALES: Final = transactions.PROJECTION.table
_REDEEMED: Final = redemptions.PROJECTION.table


async def found(asked: Asked) -> Sequence[Hit]:
    """What a text may mean, of what the caller may read."""
    kinds = [kind for kind, scope in SCOPES.items() if asked.caller.may(scope)]
    names = [(f"{kind}.external_id", asked.text) for kind in kinds]
    if asked.number is not None:
        names += [(kind, str(asked.number)) for kind in kinds]
    claims = await asked.services.store.claims(names) if names else {}
    hits = [await _named(asked.services, claim) for claim in claims.values()]
    if "transaction" in kinds:
        if asked.number is not None:
            hits.append(await one(asked.services, "transaction", asked.number, "id"))
        hits += await _sales(asked, _SALES.c.receipt_ref == asked.text)
    if "redemption" in kinds:
        hits += await _announcing(asked)
    return [hit for hit in hits if hit is not None]


async def one(services: Services, kind: Kind, number: int, matched: str) -> Hit | None:
    """What has this number; None where there is none."""
    if kind == "transaction":
        stream_id = transaction_stream(number)
        row, _ = await fresh_row(services, transactions.PROJECTION, stream_id, (number,))
    else:
        try:
            row, _ = await held_row(services, _HELD[kind], kind, number)
        except Refused:
            return None
    return None if row is None else await _told(services, kind, row, matched)


async def _named(services: Services, claim: Claim) -> Hit | None:
    kind, _, name = claim.kind.partition(".")
    if not name:
        return await one(services, _KINDS[kind], int(claim.key), "id")
    if kind == "transaction":
        number = int(claim.stream_id.removeprefix(TRANSACTION_PREFIX))
        return await one(services, "transaction", number, name)
    found_as = _KINDS[kind]
    row = await row_under(services, _HELD[found_as], claim.stream_id, claim.key)
    return None if row is None else await _told(services, found_as, row[1], name)


async def _sales(asked: Asked, where: ColumnElement[bool]) -> list[Hit]:
    statement = select(*_SALES.c).where(where).order_by(_SALES.c.transaction_id.desc())
    rows = await fetch(asked.services, statement.limit(OF_A_WAY_MAX))
    return [_sale(asked.services, plain(_SALES, row), "receipt_ref") for row in rows]


async def _announcing(asked: Asked) -> list[Hit]:
    """Redemptions for a sale of this name, whether it has come or not."""
    matched = "transaction_external_id"
    columns = _REDEEMED.c
    statement = select(*columns).where(columns[matched] == asked.text)
    newest = statement.order_by(columns.redemption_id.desc()).limit(OF_A_WAY_MAX)
    rows = await fetch(asked.services, newest)
    return [_redemption(asked.services, plain(_REDEEMED, row), matched) for row in rows]


async def _told(services: Services, kind: Kind, row: Row, matched: str) -> Hit:
    if kind == "reward":
        key = (row["definition_id"],)
        model = reward_definitions.PROJECTION
        definition, _ = await fresh_row(services, model, PROGRAMME_STREAM, key)
        row = {**row, "definition": definition}
    return _TELLING[kind](services, row, matched)


def _sale(services: Services, row: Row, matched: str) -> Hit:
    total = from_minor(row["total_minor"], digits=services.settings.currency_digits)
    currency = row["sale"].get("currency") or services.settings.currency
    parts = [f"{total:f} {currency} on {utc_text(row['transacted_at'])}"]
    parts += [f"receipt {row['receipt_ref']}"] if row["receipt_ref"] is not None else []
    parts += ["void"] if row["is_void"] else []
    number = row["transaction_id"]
    title = f"Transaction {row['external_id'] or number}"
    return Hit("transaction", number, title, ", ".join(parts), row["profile_id"], matched)


def _redemption(services: Services, row: Row, matched: str) -> Hit:
    shown = redemption_documents.document(row, services, services.clock())
    what = {"return": "Return", "reversal": "Reversal"}.get(shown["type"], "Redemption")
    detail = f"{shown['total']:f} {shown['currency']} on {utc_text(row['redeemed_at'])}"
    state = "reversed" if shown["is_reversed"] else shown["status"]
    number = shown["id"]
    title = f"{what} {shown['external_id'] or number}"
    detail += f", {state}" if state else ""
    return Hit("redemption", number, title, detail, shown["profile_id"], matched)


def _reward(services: Services, row: Row, matched: str) -> Hit:
    shown = reward_documents.document(row, services, services.clock())
    name = shown["definition"]["name"] if shown["definition"] else "Reward"
    left = f"{shown['value_remaining']:f} of {shown['value_initial']:f}"
    detail = f"{left} {services.settings.currency} left, issued {shown['issued_at']}"
    if shown["is_revoked"]:
        detail += ", revoked"
    elif shown["expires_at"] is not None:
        detail += f", {'expired' if shown['is_expired'] else 'expires'} {shown['expires_at']}"
    number = shown["id"]
    title = f"{name} {shown['external_id'] or number}"
    return Hit("reward", number, title, detail, shown["profile_id"], matched)


_TELLING: Final[dict[Kind, Callable[[Services, Row, str], Hit]]] = {
    "transaction": _sale,
    "redemption": _redemption,
    "reward": _reward,
}
_KINDS: Final[dict[str, Kind]] = {"redemption": "redemption", "reward": "reward"}
