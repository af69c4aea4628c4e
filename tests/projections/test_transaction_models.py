"""The folds of transactions and claims, without a database: given these events, then these rows."""

from datetime import timedelta

from projections.read_models import transaction_claims, transactions
from schemas.transaction_changes import (
    TransactionAssigned,
    TransactionChanged,
    TransactionUnattached,
)
from schemas.transaction_claims import (
    TransactionClaimChecked,
    TransactionClaimed,
    TransactionClaimOpened,
    TransactionClaimRejected,
)
from schemas.transaction_returns import GoodsReturned, GoodsReturnVoided, ReturnMatched
from schemas.transactions import TransactionRecorded
from tests.projections.histories import DAY_ONE, Written, given

A = "account-p-1"


def test_a_transaction_is_as_it_was_told_last() -> None:
    stream = "transaction-900"
    sale = TransactionRecorded.model_validate(
        TransactionRecorded.EXAMPLE | {"tender": "cash", "receipt_ref": "r", "location_id": 7}
    )
    changed = TransactionChanged.model_validate(
        {
            "transaction_id": 900,
            "total_minor": 1_200,
            "tags": ["x"],
            "receipt_ref": "s",
            "fees": "0.5",
            "cleared": ["tender", "location_id"],
        }
    )
    row = given(transactions.PROJECTION, (stream, sale), (stream, changed))[(900,)]
    assert (row["total_minor"], row["receipt_ref"], row["location_id"]) == (1_200, "s", None)
    assert row["sale"]["tags"] == ["x"]
    assert row["sale"]["fees"] == "0.5"
    assert "tender" not in row["sale"]
    assert row["sale"]["items"]


def test_a_transaction_finds_a_profile_and_loses_it() -> None:
    stream = "transaction-900"
    sale = TransactionRecorded.model_validate(TransactionRecorded.EXAMPLE | {"profile_id": None})
    mine = TransactionAssigned(transaction_id=900, profile_id="p-1")
    written: list[Written] = [(stream, sale), (stream, mine)]
    assert given(transactions.PROJECTION, *written)[(900,)]["profile_id"] == "p-1"
    gone = TransactionUnattached(transaction_id=900, profile_id="p-1")
    row = given(transactions.PROJECTION, *written, (stream, gone), (A, gone))[(900,)]
    assert row["profile_id"] is None


def test_a_return_and_its_sale_know_each_other() -> None:
    back = TransactionRecorded.model_validate(
        TransactionRecorded.EXAMPLE
        | {
            "transaction_id": 901,
            "profile_id": None,
            "linked_receipt_ref": "r",
            "items": [{"name": "x", "quantity": "-1", "price_current": "1", "price_sell": "1"}],
        }
    )
    of_sale, of_return = "transaction-900", "transaction-901"
    written: list[Written] = [
        (of_sale, TransactionRecorded.model_validate(TransactionRecorded.EXAMPLE)),
        (of_return, back),
    ]
    assert given(transactions.PROJECTION, *written)[(901,)]["return_status"] == "unmatched"
    written += [
        (of_sale, GoodsReturned.model_validate(GoodsReturned.EXAMPLE)),
        (of_return, ReturnMatched.model_validate(ReturnMatched.EXAMPLE | {"excess": True})),
    ]
    rows = given(transactions.PROJECTION, *written)
    returned = rows[(901,)]
    assert (returned["return_status"], returned["profile_id"]) == ("partly_matched", "p-1")
    assert returned["sale_transaction_id"] == 900
    (came_back,) = rows[(900,)]["returns"]
    assert (came_back["id"], came_back["is_void"]) == (901, False)
    void = GoodsReturnVoided(transaction_id=900, return_transaction_id=901)
    row = given(transactions.PROJECTION, *written, (of_sale, void))[(900,)]
    assert row["returns"][0]["is_void"] is True
    assert set(row) == set(transactions.TABLE.columns.keys())


def test_a_claim_is_counted_until_it_is_settled() -> None:
    written: list[Written] = [
        (A, TransactionClaimOpened.model_validate(TransactionClaimOpened.EXAMPLE)),
        (A, TransactionClaimChecked(claim_id=70, checked_transaction_id=899, attempts=2)),
    ]
    row = given(transaction_claims.PROJECTION, *written)[(70,)]
    assert (row["status"], row["attempts"], row["profile_id"]) == ("open", 2, "p-1")
    found = TransactionClaimed(claim_id=70, transaction_id=900, attempts=3)
    row = given(transaction_claims.PROJECTION, *written, (A, found))[(70,)]
    assert (row["status"], row["claimed_transaction_id"]) == ("claimed", 900)
    assert row["last_checked_at"] == DAY_ONE + timedelta(minutes=2)
    assert set(row) == set(transaction_claims.TABLE.columns.keys())
    lost = TransactionClaimRejected(claim_id=70, attempts=3)
    assert given(transaction_claims.PROJECTION, *written, (A, lost))[(70,)]["status"] == "rejected"
