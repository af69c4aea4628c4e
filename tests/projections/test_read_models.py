"""The folds, without a database: given these events, then these rows."""

from datetime import timedelta

import pytest

from projections.projection import Note
from projections.read_models import (
    balances,
    journal,
    projection_named,
    redemptions,
    reward_definitions,
    reward_expiry_order,
    rewards,
    transactions,
)
from projections.read_models.balances import Balance, balance_at
from projections.read_models.books import Overdrawn
from schemas.movements import Book, moved
from schemas.redemptions import RedemptionReversed
from schemas.reward_definitions import (
    RewardDefinitionAdded,
    RewardDefinitionArchived,
    RewardDefinitionChanged,
)
from schemas.rewards import RewardActivated, RewardExpired, RewardRevoked
from schemas.transactions import (
    RedemptionAttributed,
    TransactionLinked,
    TransactionRecorded,
    TransactionUnlinked,
    TransactionVoided,
)
from tests.projections.histories import (
    DAY_ONE,
    Written,
    adjusted,
    extended,
    given,
    issued,
    redeemed,
    returned,
    rows_only,
)

A = "account-p-1"
SECOND = timedelta(seconds=1)


def test_balances_follow_every_movement() -> None:
    rows = given(
        balances.PROJECTION,
        (A, issued("p-1", 1, 1_000)),
        (A, issued("p-1", 2, 500, Book.PENDING)),
        (A, redeemed("p-1", 3, (1, 300))),
        (A, returned(4, 3, (1, 100), to=Book.TRANSFERRED)),
    )
    row = rows[("p-1",)]
    books = {name: row[f"{name}_minor"] for name in ("issued", "available", "pending", "redeemed")}
    assert books == {"issued": 1_500, "available": 700, "pending": 500, "redeemed": 200}
    assert row["transferred_minor"] == 100
    assert set(row["open_lots"]) == {"1", "2"}


def test_a_closed_lot_comes_back_with_its_expiry() -> None:
    spent: list[Written] = [(A, issued("p-1", 1, 300)), (A, redeemed("p-1", 3, (1, 300)))]
    rows = given(balances.PROJECTION, *spent)
    assert rows[("p-1",)]["open_lots"] == {}
    back = given(balances.PROJECTION, *spent, (A, returned(4, 3, (1, 300))))
    (lot,) = back[("p-1",)]["open_lots"].values()
    assert lot["available"] == 300
    assert lot["expires_at"] == rows[Note(A, "1")]["expires_at"]


def test_another_expiry_reaches_lots_that_are_open_and_that_are_not() -> None:
    """Without any value moving, or with value that comes to a lot issued without."""
    spent = (A, redeemed("p-1", 3, (1, 500)))
    later = DAY_ONE + timedelta(days=70)
    history = (
        (A, issued("p-1", 1, 500)),
        (A, issued("p-1", 2, 0)),
        spent,
        (A, adjusted(1, 0, 0, 5)),
        (A, adjusted(2, 0, 40, 6)),
        (A, returned(4, 3, (1, 30))),
        (A, extended(2, 0, 70)),
    )
    (row,) = rows_only(given(balances.PROJECTION, *history)).values()
    lots = row["open_lots"]
    assert (lots["1"]["available"], lots["2"]["available"]) == (30, 40)
    assert lots["1"]["expires_at"] == (DAY_ONE + timedelta(days=5)).isoformat()
    assert lots["2"]["expires_at"] == later.isoformat()
    order = rows_only(given(reward_expiry_order.PROJECTION, *history))
    assert order["p-1", 1]["expires_at"] == DAY_ONE + timedelta(days=5)
    assert order["p-1", 2]["expires_at"] == later
    row = given(rewards.PROJECTION, *history)[(2,)]
    assert (row["expires_at"], row["extended_at"], row["adjustments"]) == (later, DAY_ONE, 1)
    assert row["value_initial_minor"] == 5_000


def test_a_balance_is_exact_to_the_second() -> None:
    soon, later = issued("p-1", 5, 100), issued("p-1", 6, 50, Book.PENDING)
    row = given(balances.PROJECTION, (A, soon), (A, later))[("p-1",)]
    assert soon.expires_at
    assert later.expires_at
    assert balance_at(row, DAY_ONE) == Balance(available_minor=100, pending_minor=50)
    assert balance_at(row, later.issued_at - SECOND).pending_minor == 50
    assert balance_at(row, later.issued_at) == Balance(available_minor=150)
    assert balance_at(row, soon.expires_at + SECOND * 0.999).available_minor == 150
    assert balance_at(row, soon.expires_at + SECOND).available_minor == 50
    assert balance_at(row, later.expires_at + SECOND) == Balance()
    assert balance_at(None, DAY_ONE) == Balance()


def test_held_value_outlives_its_lots_expiry() -> None:
    held = issued("p-1", 5, 100).model_copy(
        update={
            "movements": moved(5, Book.ISSUED, Book.AVAILABLE, 100)
            + moved(5, Book.AVAILABLE, Book.HELD, 40)
        }
    )
    row = given(balances.PROJECTION, (A, held))[("p-1",)]
    assert balance_at(row, DAY_ONE) == Balance(available_minor=60, held_minor=40)
    assert balance_at(row, DAY_ONE + timedelta(days=99)) == Balance(held_minor=40)


@pytest.mark.parametrize("projection", [balances.PROJECTION, rewards.PROJECTION])
def test_a_book_never_goes_below_zero(projection: object) -> None:
    with pytest.raises(Overdrawn):
        given(projection, (A, issued("p-1", 1, 10)), (A, redeemed("p-1", 2, (1, 11))))  # type: ignore[arg-type]


def test_a_reward_keeps_its_terms_and_its_books() -> None:
    revoked = RewardRevoked(
        reward_id=1, personal="why", movements=moved(1, Book.AVAILABLE, Book.REVOKED, 700)
    )
    terms = issued("p-1", 1, 1_000).model_copy(update={"external_id": "x", "personal": "sealed"})
    rows = given(rewards.PROJECTION, (A, terms), (A, redeemed("p-1", 3, (1, 300))), (A, revoked))
    row = rows[(1,)]
    assert (row["redeemed_minor"], row["revoked_minor"], row["available_minor"]) == (300, 700, 0)
    assert (row["external_id"], row["personal"]) == ("x", ["sealed"])
    assert row["revoked_at"] == row["updated_at"] == DAY_ONE + timedelta(minutes=2)
    assert row["created_at"] == DAY_ONE
    assert row["position"] == 3
    assert set(row) == set(rewards.TABLE.columns.keys())


def test_a_revocation_of_nothing_left_is_noted_too() -> None:
    rows = given(rewards.PROJECTION, (A, issued("p-1", 1, 0)), (A, RewardRevoked(reward_id=1)))
    assert rows[(1,)]["revoked_at"]


def test_the_expiry_order_holds_only_what_is_left() -> None:
    given_events: list[Written] = [
        (A, issued("p-1", 1, 300)),
        (A, issued("p-1", 2, 50, Book.PENDING)),
        (A, redeemed("p-1", 3, (1, 300))),
    ]
    rows = rows_only(given(reward_expiry_order.PROJECTION, *given_events))
    assert set(rows) == {("p-1", 2)}
    assert rows[("p-1", 2)]["pending_minor"] == 50
    activated = RewardActivated(reward_id=2, movements=moved(2, Book.PENDING, Book.AVAILABLE, 50))
    given_events += [(A, activated), (A, returned(4, 3, (1, 120)))]
    rows = rows_only(given(reward_expiry_order.PROJECTION, *given_events))
    assert rows[("p-1", 2)]["available_minor"] == 50
    assert rows[("p-1", 1)]["available_minor"] == 120
    assert rows[("p-1", 1)]["expires_at"] == issued("p-1", 1, 300).expires_at
    assert rows[("p-1", 1)]["issued_at"] == DAY_ONE


def test_a_return_is_a_row_of_its_own_and_counts_on_its_redemption() -> None:
    made = redeemed("p-1", 3, (1, 300), (2, 50)).model_copy(
        update={"location_id": "7", "personal": "sealed"}
    )
    rows = given(
        redemptions.PROJECTION, (A, made), (A, returned(4, 3, (2, 50), (1, 20), to=Book.AVAILABLE))
    )
    original, back = rows[(3,)], rows[(4,)]
    assert original["type"] == "redeem"
    assert (original["total_minor"], original["returned_minor"]) == (350, 70)
    assert original["items"] == [
        {"reward_id": 1, "amount_minor": 300, "returned_minor": 20},
        {"reward_id": 2, "amount_minor": 50, "returned_minor": 50},
    ]
    assert (original["location_id"], original["strategies"]) == ("7", ["rewards"])
    assert (back["type"], back["original_redemption_id"], back["policy"]) == (
        "return",
        3,
        "restore",
    )
    assert (back["total_minor"], back["profile_id"]) == (70, "p-1")
    assert set(original) == set(back) == set(redemptions.TABLE.columns.keys())


def test_a_reversal_says_when_and_what_was_forfeited() -> None:
    undone = RedemptionReversed(
        reversal_id=5,
        redemption_id=3,
        total_minor=300,
        forfeited_minor=300,
        movements=moved(1, Book.REDEEMED, Book.REVOKED, 300),
    )
    rows = given(redemptions.PROJECTION, (A, redeemed("p-1", 3, (1, 300))), (A, undone))
    assert rows[(3,)]["reversed_at"] == DAY_ONE + timedelta(minutes=1)
    assert (rows[(3,)]["forfeited_minor"], rows[(5,)]["forfeited_minor"]) == (300, 300)
    assert rows[(5,)]["type"] == "reversal"


def test_a_redemption_knows_its_transaction_while_linked() -> None:
    linked: list[Written] = [
        (A, redeemed("p-1", 3, (1, 300))),
        (A, TransactionLinked(transaction_id=900, redemption_id=3)),
    ]
    assert given(redemptions.PROJECTION, *linked)[(3,)]["transaction_id"] == 900
    unlinked = TransactionUnlinked(transaction_id=900, redemption_id=3)
    assert given(redemptions.PROJECTION, *linked, (A, unlinked))[(3,)]["transaction_id"] is None


def test_a_transaction_with_two_redemptions_then_void() -> None:
    sale = TransactionRecorded.model_validate(
        TransactionRecorded.EXAMPLE | {"location_id": 7, "receipt_ref": "r", "profile_id": None}
    )
    first = RedemptionAttributed.model_validate(RedemptionAttributed.EXAMPLE)
    second = first.model_copy(
        update={"redemption_id": 159, "total_minor": 5, "shares_minor": (1_005,)}
    )
    stream = "transaction-900"
    written: list[Written] = [(stream, sale), (stream, first), (stream, second)]
    row = given(transactions.PROJECTION, *written)[(900,)]
    assert (row["redemption_id"], row["redemption_total_minor"]) == (158, 1_005)
    assert row["redemptions"][0]["parts"] == [{"reward_id": 17, "amount_minor": 1000}]
    assert (row["shares_minor"], row["profile_id"]) == ([1_005], "p-1")
    assert (row["location_id"], row["receipt_ref"], row["is_void"]) == (7, "r", False)
    assert row["sale"]["items"][0]["price_current"] == "9.99"
    assert row["sale"]["total_original"] == "9.99"
    assert "receipt_ref" not in row["sale"]
    void = given(
        transactions.PROJECTION, *written, (stream, TransactionVoided(transaction_id=900))
    )[(900,)]
    assert (void["is_void"], void["redemption_id"]) == (True, 158)
    assert void["voided_at"] == DAY_ONE + timedelta(minutes=3)
    assert set(void) == set(transactions.TABLE.columns.keys())


def test_the_journal_runs_a_balance() -> None:
    expired = RewardExpired(
        reward_id=1,
        expires_at=DAY_ONE,
        movements=moved(1, Book.AVAILABLE, Book.EXPIRED, 600),
    )
    rows = rows_only(
        given(
            journal.PROJECTION,
            (A, issued("p-1", 1, 1_000)),
            (A, issued("p-1", 2, 50, Book.PENDING)),
            (A, redeemed("p-1", 3, (1, 300), (1, 100))),
            (A, expired),
        )
    )
    assert [(key[1:], row["effect_minor"], row["balance_minor"]) for key, row in rows.items()] == [
        ((1, 0), 1_000, 1_000),
        ((2, 0), 0, 1_000),
        ((3, 0), -300, 700),
        ((3, 1), -100, 600),
        ((4, 0), -600, 0),
    ]
    line = rows[("p-1", 3, 1)]
    assert (line["redemption_id"], line["actor"]) == (3, "till-7")
    assert set(line) == set(journal.TABLE.columns.keys())


def test_a_definition_is_its_newest_version() -> None:
    added = RewardDefinitionAdded.model_validate(RewardDefinitionAdded.EXAMPLE)
    changed = RewardDefinitionChanged.model_validate(
        RewardDefinitionAdded.EXAMPLE | {"definition_version": 2, "value_minor": 5, "text": {}}
    )
    row = given(
        reward_definitions.PROJECTION,
        ("programme", added),
        ("programme", changed),
        ("programme", RewardDefinitionArchived(definition_id=6)),
    )[(6,)]
    assert (row["definition_version"], row["value_minor"], row["text"]) == (2, 5, {})
    assert (row["created_at"], row["archived_at"]) == (DAY_ONE, DAY_ONE + timedelta(minutes=2))
    assert set(row) == set(reward_definitions.TABLE.columns.keys())


def test_projections_are_found_by_name() -> None:
    assert projection_named("journal") is journal.PROJECTION
    with pytest.raises(LookupError):
        projection_named("nothing")
