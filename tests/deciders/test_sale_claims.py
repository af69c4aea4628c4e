"""Claims: a sale of nobody's becomes the first profile's that has its receipt."""

from typing import Any

import pytest
from deciders.receipts import (
    bought,
    bring_back,
    brought_back,
    buy,
    checked,
    claim,
    claim_settled,
    claim_waits,
    claimed,
    filed,
    matched,
    off_sale,
    opened,
    rejected,
)
from deciders.sales import assigned, attached, changed, upsert, void
from deciders.scenario import expired, moment, registered, reward
from deciders.story import Given, elsewhere, given
from pydantic import ValidationError

from ledger.rejections import ReceiptClaimed, ReceiptContested, UnknownProfile

ATTACHED = attached(70, "16.00")


def nobodys(**told: Any) -> Given:
    """A sale of 16.00 under the receipt 0042, and two profiles who may have bought."""
    return given(
        registered(), elsewhere("p-2", registered("p-2")), bought(70, None, **told), filed()
    )


def nothing_sold() -> Given:
    """Two profiles."""
    return given(registered(), elsewhere("p-2", registered("p-2")))


def test_a_sale_of_nobody_is_the_one_who_claims_it() -> None:
    story = nobodys().when(claim()).then(opened(100), assigned(70), ATTACHED, claimed(100, 70))
    assert story.transaction(70).profile_id == "p-1"
    assert story.account().sale_claims[100].status == "claimed"


def test_what_is_due_comes_before_a_claim() -> None:
    story = given(reward(1, "5.00", expires="2030-05-31"), bought(70, None), filed())
    story.when(claim()).then(
        expired(1, "5.00", expires="2030-05-31"),
        opened(100),
        assigned(70),
        ATTACHED,
        claimed(100, 70),
    )


def test_the_second_to_claim_is_refused() -> None:
    story = nobodys().when(claim()).accepted()
    story.when(claim("p-2")).then_refused(ReceiptClaimed)
    story.when(claim()).then_refused(ReceiptClaimed)


def test_who_is_nobody_claims_nothing() -> None:
    nobodys().when(claim("p-9")).then_refused(UnknownProfile)


@pytest.mark.parametrize(
    "told",
    [
        {"transaction_transacted_at": "2030-06-01 23:59:59"},
        {
            "transaction_transacted_at": "2030-06-01 00:00:00",
            "transaction_location_external_code": "3",
        },
        {"transaction_transacted_at": "2030-06-02 08:00:00", "transaction_timezone": "Asia/Tokyo"},
        {"transaction_transacted_at": "2030-05-31T23:00:00-12:00"},
    ],
)
def test_a_receipt_fits_by_day_and_location(told: dict[str, Any]) -> None:
    story = nobodys(location_id=3).when(claim(**told)).accepted()
    assert story.transaction(70).profile_id == "p-1"


@pytest.mark.parametrize(
    "told",
    [
        {"total": "16.01"},
        {"transaction_receipt_ref": "0043"},
        {"transaction_transacted_at": "2030-05-31 23:59:59"},
        {"transaction_transacted_at": "2030-06-01 05:00:00", "transaction_timezone": "Asia/Tokyo"},
        {
            "transaction_transacted_at": "9999-12-31 23:59:58",
            "transaction_timezone": "Pacific/Pago_Pago",
        },
        {"transaction_location_external_code": "4"},
    ],
)
def test_another_receipt_waits_for_its_own_sale(told: dict[str, Any]) -> None:
    story = nobodys(location_id=3).when(claim(**told)).accepted()
    assert story.transaction(70).profile_id is None
    assert story.account().sale_claims[100].status == "open"


def test_of_several_sales_the_latest_of_nobody_is_meant() -> None:
    story = given(
        registered(),
        bought(70, None),
        bought(71, None, transacted_at=moment("2030-06-01 11:00:01")),
        bought(72, "p-2", transacted_at=moment("2030-06-01 11:00:02")),
        *(filed(number) for number in (70, 71, 72)),
    )
    assert story.when(claim()).accepted().transaction(71).profile_id == "p-1"


def test_a_void_sale_is_nobodys_to_claim() -> None:
    story = nobodys().when(void(70)).accepted()
    story.when(claim()).then(opened(200), claim_waits(200))


def test_a_claim_ahead_of_its_sale_waits() -> None:
    story = nothing_sold().when(claim()).then(opened(100), claim_waits(100))
    story.when(buy(None)).then(
        bought(200, None),
        filed(200),
        assigned(200),
        attached(200, "16.00"),
        claimed(100, 200, 2),
        claim_settled(100),
    )


def test_the_same_claim_twice_is_one() -> None:
    story = nothing_sold().when(claim()).accepted()
    story.when(claim()).then_nothing()
    story.when(claim(total="15.00")).then(opened(200, "15.00"), claim_waits(200))


def test_who_claimed_first_has_it() -> None:
    story = nothing_sold().when(claim("p-2")).accepted().when(claim()).accepted()
    story.when(buy(None)).then(
        bought(300, None),
        filed(300),
        assigned(300, "p-2"),
        elsewhere("p-2", attached(300, "16.00"), claimed(100, 300, 2)),
        rejected(200, 2),
        claim_settled(100),
        claim_settled(200),
    )


def test_a_sale_that_says_whose_it_is_settles_claims_too() -> None:
    story = nothing_sold().when(claim("p-2")).accepted().when(claim()).accepted()
    story.when(buy()).then(
        bought(300),
        attached(300, "16.00"),
        claimed(200, 300, 2),
        filed(300),
        elsewhere("p-2", rejected(100, 2)),
        claim_settled(100),
        claim_settled(200),
    )


def test_a_sale_that_is_not_the_one_is_counted() -> None:
    story = nothing_sold().when(claim()).accepted()
    story = story.when(buy(None, total="9.00")).then(
        bought(200, None, total_minor=900), filed(200), checked(100, 200, 2)
    )
    assert story.account().sale_claims[100].attempts == 2
    corrected = story.when(upsert(total="16.00")).then(
        changed(200, total_minor=1600),
        assigned(200),
        attached(200, "16.00"),
        claimed(100, 200, 3),
        claim_settled(100),
    )
    corrected.when(claim("p-2")).then_refused(ReceiptClaimed)


def test_only_so_many_wait_for_one_receipt() -> None:
    story = nothing_sold()
    for cents in range(20):
        story = story.when(claim(total=f"1.{cents:02}")).accepted()
    story.when(claim("p-2")).then_refused(ReceiptContested)
    story = story.when(buy(None, total="1.05")).accepted()
    story.when(claim("p-2")).accepted()


def test_what_came_back_of_it_goes_with_it() -> None:
    of_return = {"external_id": None, "transacted_at": moment("2030-06-01 11:30:00")}
    story = (
        nobodys()
        .when(bring_back())
        .then(brought_back(100), off_sale(100, (0, 0, "1", "0")), matched(100))
    )
    story.when(claim()).then(
        opened(200),
        assigned(70),
        ATTACHED,
        assigned(100),
        attached(100, "-6.00", **of_return),
        claimed(200, 70),
    )


@pytest.mark.parametrize("fields", [{"transaction_receipt_ref": ""}, {"total": "-1"}, {"x": 1}])
def test_what_makes_no_sense_is_no_claim(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        claim(**fields)
