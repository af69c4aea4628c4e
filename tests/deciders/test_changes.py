"""Changes of a sale: what is told and differs is new, everything else stays."""

from typing import Any

import pytest
from deciders.holding import held
from deciders.sales import (
    assigned,
    attached,
    changed,
    detached,
    line,
    linked,
    noted,
    sell,
    sold,
    unlinked,
    upsert,
    upsert_whole,
    void,
    voided,
)
from deciders.scenario import back, expired, moment, redemption, registered, reversal, reward
from deciders.sold import NOON, OTHERS, PAID, PAID_FOR_70, sold_to, spent_five
from deciders.story import Given, elsewhere, given, on_sale
from pydantic import ValidationError

from ledger.rejections import (
    InvalidTransaction,
    RedemptionLinkedElsewhere,
    RedemptionOfAnotherProfile,
    TransactionHasRedemptions,
    TransactionIdMismatch,
    TransactionIsVoid,
    TransactionPaidOtherwise,
    TransactionProfileMismatch,
    UnknownTransaction,
)
from schemas.transaction_changes import (
    ChangeTransaction,
    RedemptionsSpread,
    TransactionUnattached,
    UnattachTransaction,
)

THREE_LINES = (line("6.00"), line("4.00"), line("10.00"))


def paid_for_70() -> Given:
    """5.00 paid for the sale 70 of p-1."""
    story = spent_five()
    return Given(
        (*story.history, *given(sold(70), PAID_FOR_70, attached(70), linked(70, 50)).history)
    )


# ── Recording by upsert ──────────────────────────────────────────────────────────────────────────


def test_an_upsert_records_a_sale_that_is_not_there() -> None:
    given(registered()).when(upsert_whole()).then(sold(100), attached(100))
    spent_five().when(upsert_whole(redemption_id=50)).then(
        sold(100), PAID, attached(100), linked(100, 50)
    )
    given().when(upsert_whole(None, is_void=True)).then(sold(100, None), voided(100))


@pytest.mark.parametrize("name", ["total", "transacted_at", "timezone", "items"])
def test_a_new_sale_needs_what_every_sale_has(name: str) -> None:
    told = upsert_whole().model_dump(exclude_unset=True)
    del told[name]
    given(registered()).when(upsert(**told)).then_refused(InvalidTransaction)


def test_the_same_again_changes_nothing() -> None:
    story = given().when(upsert_whole()).accepted()
    story.when(upsert_whole()).then_nothing()
    story.when(sell(external_id="t-2")).accepted()


# ── What changes ─────────────────────────────────────────────────────────────────────────────────


def test_only_what_is_told_and_differs_is_new() -> None:
    story = sold_to(tender="cash", staff_id=3)
    story.when(upsert(tender="card", staff_id=3, total="12", fees=None)).then(
        changed(70, tender="card", total_minor=1200), noted(70, "12.00")
    )


def test_null_takes_away_what_may_be_missing() -> None:
    story = sold_to(tender="cash", fees="1")
    told = {"tender": None, "fees": None, "staff_id": None, "items": None, "total": None}
    story.when(upsert(**told)).then(changed(70, cleared=("tender", "fees")), noted(70))


def test_true_is_not_one() -> None:
    one, true = ([line("1.00", product_variant={"gift": value})] for value in (1, True))
    story = sold_to(items=one)
    story.when(upsert(items=one)).then_nothing()
    story.when(upsert(items=true)).then(changed(70, items=true), noted(70))


def test_empty_lists_are_told_too() -> None:
    sold_to(tags=["a"]).when(upsert(tags=[])).then(changed(70, tags=[]), noted(70))


def test_a_time_is_told_in_the_zone_that_stands_unless_another_is_told() -> None:
    story = sold_to(timezone="Australia/Brisbane")
    story.when(upsert(transacted_at="2030-06-01 20:00:00")).then(
        changed(70, transacted_at=moment("2030-06-01 10:00:00")), noted(70)
    )
    story.when(upsert(transacted_at="2030-06-01 11:00:00", timezone="UTC")).then(
        changed(70, timezone="UTC"), noted(70)
    )
    story.when(upsert(transacted_at="2030-06-01 22:06:00")).then_refused(InvalidTransaction)


def test_what_is_due_comes_before_a_change() -> None:
    story = given(reward(1, "5.00", expires="2030-05-31"), sold(70), attached(70))
    story.when(upsert(tender="card")).then(
        changed(70, tender="card"), expired(1, "5.00", expires="2030-05-31"), noted(70)
    )


def test_new_lines_share_what_was_redeemed_anew() -> None:
    paid_for_70().when(upsert(items=THREE_LINES)).then(
        changed(70, items=THREE_LINES),
        RedemptionsSpread(transaction_id=70, shares_minor=(150, 100, 250), unallocated_minor=0),
        noted(70),
    )


def test_what_a_redemption_paid_for_does_not_become_a_return() -> None:
    paid_for_70().when(upsert(total="-10")).then_refused(InvalidTransaction)
    spent_five().when(upsert_whole(total="-10", redemption_id=50)).then_refused(InvalidTransaction)


def test_a_change_names_its_sale_by_id() -> None:
    told = {"transaction_id": 70, "tender": "card"}
    sold_to().when(ChangeTransaction.model_validate(told)).then(
        changed(70, tender="card"), noted(70)
    )
    given().when(ChangeTransaction.model_validate(told)).then_refused(UnknownTransaction)


@pytest.mark.parametrize("fields", [{"keep_redemption": True}, {"gift": 1}, {"source_version": -1}])
def test_what_makes_no_sense_is_no_change(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        upsert(**fields)


# ── Which sale ───────────────────────────────────────────────────────────────────────────────────


def test_a_sale_is_found_by_its_external_id_or_else_by_its_id() -> None:
    story = sold_to()
    for named in ({"external_id": "t-1"}, {"external_id": None, "id": 70}, {"id": "70"}):
        story.when(upsert(**named, tender="card")).then(changed(70, tender="card"), noted(70))


def test_an_id_gets_an_external_id_once_and_keeps_it() -> None:
    story = sold_to(external_id=None)
    story = story.when(upsert(id=70, external_id="t-7")).then(
        changed(70, external_id="t-7"), noted(70)
    )
    story.when(upsert(id=70, external_id="t-8")).then_refused(TransactionIdMismatch)
    story.when(upsert(external_id="t-7", tender="card")).accepted()


def test_id_and_external_id_are_of_one_sale() -> None:
    story = given(registered(), sold(70), attached(70), sold(71, external_id="t-2"), attached(71))
    story.when(upsert(id=71)).then_refused(TransactionIdMismatch)
    taken = {"transaction_id": 71, "external_id": "t-1"}
    story.when(ChangeTransaction.model_validate(taken)).then_refused(TransactionIdMismatch)
    unnamed = Given((*story.history, *given(sold(72, external_id=None), attached(72)).history))
    taken = {"transaction_id": 72, "external_id": "t-1"}
    unnamed.when(ChangeTransaction.model_validate(taken)).then_refused(TransactionIdMismatch)
    story.when(upsert(id=99)).then_refused(UnknownTransaction)


def test_an_id_nobody_has_is_no_name_for_a_new_sale() -> None:
    story = given(registered())
    story.when(upsert_whole(external_id=None).model_copy(update={"id": 99})).then_refused(
        UnknownTransaction
    )
    story.when(upsert_whole().model_copy(update={"id": 99})).then(sold(100), attached(100))


# ── Whose it is ──────────────────────────────────────────────────────────────────────────────────


def test_a_sale_of_nobody_becomes_a_profiles() -> None:
    sold_to(None).when(upsert(profile_id="p-1")).then(assigned(70), attached(70))
    given(sold(70, None)).when(upsert(profile_id="p-1", total="9")).then(
        changed(70, total_minor=900), assigned(70), registered(), attached(70, "9.00")
    )
    sold_to().when(upsert(profile_id="p-1")).then_nothing()


def test_a_sale_of_another_profiles_has_to_be_unattached_first() -> None:
    story = Given((*sold_to().history, *given(OTHERS).history))
    story.when(upsert(profile_id="p-2")).then_refused(TransactionProfileMismatch)
    gone = TransactionUnattached(transaction_id=70, profile_id="p-1")
    story = story.when(UnattachTransaction(profile_id="p-1", transaction_id=70)).then(
        on_sale(70, gone), gone
    )
    story.when(upsert(profile_id="p-2")).then(assigned(70, "p-2"), elsewhere("p-2", attached(70)))


def test_what_a_redemption_of_the_profile_paid_for_stays_its_own() -> None:
    unattach = UnattachTransaction(profile_id="p-1", transaction_id=70)
    paid_for_70().when(unattach).then_refused(TransactionHasRedemptions)


def test_only_what_is_the_profiles_can_be_unattached() -> None:
    for profile, transaction_id in (("p-2", 70), ("p-1", 71)):
        unattach = UnattachTransaction(profile_id=profile, transaction_id=transaction_id)
        sold_to().when(unattach).then_refused(UnknownTransaction)
    unattach = UnattachTransaction(profile_id="p-1", transaction_id=70)
    sold_to(None).when(unattach).then_refused(UnknownTransaction)
    void_one = sold_to().when(void(70)).accepted()
    void_one.when(unattach).then_refused(TransactionIsVoid)


# ── What paid for it ─────────────────────────────────────────────────────────────────────────────


def unpaid() -> Given:
    """5.00 were spent at noon, and the sale 70 is p-1's."""
    return Given((*spent_five().history, *given(sold(70), attached(70)).history))


def test_a_redemption_is_linked_where_there_is_none() -> None:
    unpaid().when(upsert(redemption_id=50)).then(PAID_FOR_70, linked(70, 50))
    paid_for_70().when(upsert(redemption_id=50, tender="card")).then(
        changed(70, tender="card"), noted(70)
    )


def test_a_sale_of_nobody_takes_the_profile_of_the_redemption() -> None:
    story = Given((*spent_five().history, *given(sold(70, None)).history))
    story.when(upsert(redemption_id=50)).then(
        assigned(70), attached(70), PAID_FOR_70, linked(70, 50)
    )


def test_another_redemption_is_refused() -> None:
    second = redemption(51, (2, "1.00"), at=NOON)
    story = Given((*paid_for_70().history, ("account-p-1", second)))
    story.when(upsert(redemption_id=51)).then_refused(TransactionPaidOtherwise)
    other_sale = story.when(sell(external_id="t-2")).accepted()
    other_sale.when(upsert(external_id="t-2", redemption_id=50)).then_refused(
        RedemptionLinkedElsewhere, transaction_id=70
    )
    story = Given((*sold_to().history, *given(OTHERS).history))
    story.when(upsert(redemption_id=60)).then_refused(RedemptionOfAnotherProfile)


def test_a_name_that_comes_late_finds_the_redemption_that_announced_it() -> None:
    waits = spent_five(transaction_external_id="t-9")
    story = Given((*waits.history, *given(sold(70, None, external_id=None)).history))
    story.when(upsert(id=70, external_id="t-9")).then(
        changed(70, external_id="t-9"),
        assigned(70),
        attached(70, external_id="t-9"),
        PAID_FOR_70,
        linked(70, 50),
    )


def test_a_name_that_comes_late_is_whose_hold_announced_it() -> None:
    story = given(
        reward(1, "5.00"), held(50, (1, "5.00"), transaction_external_id="t-9"),
        sold(70, None, external_id=None),
    )  # fmt: skip
    story.when(upsert(id=70, external_id="t-9"), at=NOON).then(
        changed(70, external_id="t-9"), assigned(70), attached(70, external_id="t-9")
    )


# ── The sender's own version ─────────────────────────────────────────────────────────────────────


def test_an_older_version_changes_nothing() -> None:
    story = sold_to(source_version=5)
    story.when(upsert(source_version=4, tender="card", profile_id="p-2")).then_nothing()
    story.when(upsert(source_version=5, tender="card")).then(changed(70, tender="card"), noted(70))
    story.when(upsert(source_version="6")).then(changed(70, source_version=6), noted(70))
    story.when(upsert(tender="card")).then(changed(70, tender="card"), noted(70))
    sold_to().when(upsert(source_version=0)).then(changed(70, source_version=0), noted(70))


# ── Voids ────────────────────────────────────────────────────────────────────────────────────────


def test_a_void_may_come_with_a_change() -> None:
    paid_for_70().when(upsert(is_void=True, tender="card"), at=NOON).then(
        changed(70, tender="card"),
        noted(70),
        voided(70),
        unlinked(70, 50),
        reversal(100, 50, back(1, "3.00"), back(2, "2.00")),
        detached(70),
    ).then_balance("8.00")


def test_a_void_is_final() -> None:
    story = paid_for_70().when(void(70), at=NOON).accepted()
    for told in ({"is_void": False}, {"tender": "card"}, {"redemption_id": 50, "total": 1}):
        story.when(upsert(**told)).then_refused(TransactionIsVoid)
    story.when(upsert_whole(is_void=True)).then_nothing()
    story.when(upsert_whole()).then_nothing()
    nobodys = given(registered(), sold(70, None), voided(70))
    nobodys.when(upsert(profile_id="p-1")).then_refused(TransactionIsVoid)


def test_a_sale_that_lives_is_told_so() -> None:
    sold_to().when(upsert(is_void=False)).then_nothing()


def test_what_was_said_of_lines_in_between_is_not_lost() -> None:
    """Two changes in a row, each of its own."""
    story = paid_for_70().when(upsert(items=[line("1.00")])).accepted()
    story = story.when(upsert(tender="card")).accepted()
    sale = story.transaction(70)
    assert (sale.sale["tender"], len(sale.items), sale.shares_minor) == ("card", 1, (500,))
