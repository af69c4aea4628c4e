"""Sales: what is kept of them, and the redemption they name."""

from typing import Any

import pytest
from deciders.sales import (
    attached,
    attributed,
    line,
    linked,
    sell,
    sold,
)
from deciders.scenario import (
    back,
    expired,
    give_back,
    moment,
    redemption,
    registered,
    returned,
    reversal,
    reverse,
    reward,
)
from deciders.sold import (
    NOON,
    OTHERS,
    PAID,
    spent_five,
)
from deciders.story import given
from pydantic import ValidationError

from ledger.rejections import (
    InvalidAmount,
    InvalidTransaction,
    RedemptionAnnouncedElsewhere,
    RedemptionGivenBack,
    RedemptionLinkedElsewhere,
    RedemptionOfAnotherProfile,
    UnknownLinkedRedemption,
)
from schemas.receipts import ReceiptFiled

# ── Recording ────────────────────────────────────────────────────────────────────────────────────


def test_a_sale_is_recorded_and_noted_on_the_account() -> None:
    given(registered()).when(sell()).then(sold(100), attached(100)).then_balance("0.00")


def test_a_sale_registers_its_profile() -> None:
    given().when(sell()).then(sold(100), registered(), attached(100))


def test_a_sale_of_nobody_touches_no_account() -> None:
    given(registered()).when(sell(None)).then(sold(100, None))


def test_everything_the_till_tells_is_kept() -> None:
    told: dict[str, Any] = {
        "location_id": 3,
        "currency": "NZD",
        "currency_value": {"from": "NZD", "to": "AUD", "rate": "0.923456"},
        "total_original": "-9.99",
        "rounding": "0.01",
        "tender": "cash",
        "margin": "1.234567",
        "staff_id": "s-1",
        "payments": [{"amount": "4.99", "type": "card", "name": "Visa"}],
        "receipt_ref": "0042",
        "linked_receipt_ref": "0041",
        "receipt_is_email": True,
        "systems": ["till"],
        "tags": ["a", "b"],
        "type": "sale",
        "status": "done",
        "order_id": 4,
        "order_number": "n-5",
        "external_order_id": "o-6",
        "need_action": False,
        "organisation_id": 7,
        "fees": "0.50",
        "items": [
            line(
                "9.99",
                "1.5",
                external_id="l-1",
                sku="sku",
                product_variant_id=1,
                product_variant={"colour": "red"},
                variant_external_id="v-1",
                department="cakes",
                discounts=[{"amount": "0.000001", "reason_desc": "friend"}],
                tags=["birthday"],
                price_original="10",
                price_margin="-1",
                price_tax="0.9",
            )
        ],
    }
    given(registered()).when(sell(**told)).then(
        sold(100, **told),
        attached(100),
        ReceiptFiled(receipt_ref="0042", transaction_id=100),
    )


def test_the_time_of_a_sale_is_that_of_its_clocks() -> None:
    command = sell(transacted_at="2030-06-01 20:00:00", timezone="Australia/Brisbane")
    at = moment("2030-06-01 10:00:00")
    given(registered()).when(command).then(
        sold(100, transacted_at=at, timezone="Australia/Brisbane"),
        attached(100, transacted_at=at),
    )


def test_a_till_may_run_five_minutes_ahead_and_no_more() -> None:
    story = given(registered())
    story.when(sell(transacted_at="2030-06-01 12:05:00")).accepted()
    story.when(sell(transacted_at="2030-06-01T12:05:00.000001Z")).then_refused(InvalidTransaction)


@pytest.mark.parametrize("when", ["yesterday", "2030-02-30 10:00:00", "2030-06-01T10:00:00"])
def test_a_sale_needs_a_time_that_exists(when: str) -> None:
    with pytest.raises(ValidationError, match="transacted_at"):
        sell(transacted_at=when)


def test_a_total_has_the_decimals_of_the_currency() -> None:
    story = given(registered()).under(currency="JPY", currency_digits=0)
    story.when(sell(total="10.5")).then_refused(InvalidAmount)


def test_what_is_due_comes_before_a_sale() -> None:
    given(reward(1, "5.00", expires="2030-05-31")).when(sell()).then(
        sold(100), expired(1, "5.00", expires="2030-05-31"), attached(100)
    )


def test_a_negative_total_is_a_return_of_goods() -> None:
    given(registered()).when(sell(total="-10")).then(
        sold(100, total="-10.00"), attached(100, "-10.00")
    )


@pytest.mark.parametrize("fields", [{"keep_redemption": True}, {"gift": 1}, {"total": "1.001"}])
def test_what_makes_no_sense_is_no_command(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        sell(**fields)


# ── The redemption is named ──────────────────────────────────────────────────────────────────────


def test_a_sale_names_the_redemption_that_paid() -> None:
    spent_five().when(sell(redemption_id=50)).then(
        sold(100), PAID, attached(100), linked(100, 50)
    ).then_balance("3.00")


def test_totals_need_not_match() -> None:
    """The article's own: 10 were redeemed, the only line costs 9.99."""
    items = [line("9.99")]
    given(reward(1, "10.00"), redemption(50, (1, "10.00"))).when(
        sell(redemption_id=50, items=items)
    ).then(
        sold(100, items=items),
        attributed(100, 50, (1, "10.00"), shares=("10.00",)),
        attached(100),
        linked(100, 50),
    )


def test_the_case_of_the_article() -> None:
    """Its printed sale: the redemption is named, the total is that of the till."""
    now = "2021-02-10 00:00:00"
    command = sell(
        total="10",
        redemption_id="50",
        external_id="91040123233311",
        transacted_at="2021-02-10 11:00:00",
        timezone="Australia/Melbourne",
        items=[line("9.99", product_variant_id="1")],
    )
    at = moment(now)
    given(reward(1, "10.00"), redemption(50, (1, "10.00"), at=now)).when(command, at=now).then(
        sold(
            100,
            external_id="91040123233311",
            transacted_at=at,
            timezone="Australia/Melbourne",
            items=[line("9.99", product_variant_id=1)],
        ),
        attributed(100, 50, (1, "10.00"), shares=("10.00",)),
        attached(100, external_id="91040123233311", transacted_at=at),
        linked(100, 50),
    )


def test_a_sale_of_nobody_takes_the_profile_of_its_redemption() -> None:
    spent_five().when(sell(None, redemption_id=50)).then(
        sold(100), PAID, attached(100), linked(100, 50)
    )


def test_a_redemption_of_another_profile_is_refused() -> None:
    given(registered(), OTHERS).when(sell(redemption_id=60)).then_refused(
        RedemptionOfAnotherProfile
    )


def test_a_redemption_nobody_made_is_refused() -> None:
    spent_five().when(sell(redemption_id=51)).then_refused(UnknownLinkedRedemption)


def test_a_return_is_no_redemption_that_paid() -> None:
    (
        spent_five()
        .when(give_back(50, "1.00", "restore"), at=NOON)
        .then(returned(100, 50, back(2, "1.00"), policy="restore"))
        .when(sell(redemption_id=100))
        .then_refused(UnknownLinkedRedemption)
    )


def test_a_redemption_pays_for_one_sale_only() -> None:
    paid = spent_five().when(sell(redemption_id=50)).accepted()
    paid.when(sell(redemption_id=50, external_id="t-2")).then_refused(
        RedemptionLinkedElsewhere, transaction_id=100
    )


def test_a_redemption_announced_for_another_sale_is_refused() -> None:
    story = spent_five(transaction_external_id="t-2")
    story.when(sell(redemption_id=50)).then_refused(RedemptionAnnouncedElsewhere)
    story.when(sell(redemption_id=50, external_id=None)).then_refused(RedemptionAnnouncedElsewhere)


def test_a_redemption_reversed_pays_for_nothing() -> None:
    (
        spent_five()
        .when(reverse(50), at=NOON)
        .then(reversal(100, 50, back(1, "3.00"), back(2, "2.00")))
        .when(sell(redemption_id=50))
        .then_refused(RedemptionGivenBack)
    )


def test_a_redemption_wholly_returned_pays_for_nothing() -> None:
    (
        spent_five()
        .when(give_back(50, policy="restore"), at=NOON)
        .then(returned(100, 50, back(2, "2.00"), back(1, "3.00"), policy="restore"))
        .when(sell(redemption_id=50))
        .then_refused(RedemptionGivenBack)
    )


def test_a_redemption_partly_returned_is_linked_with_all_it_took() -> None:
    (
        spent_five()
        .when(give_back(50, "1.00", "restore"), at=NOON)
        .then(returned(100, 50, back(2, "1.00"), policy="restore"))
        .when(sell(redemption_id=50))
        .then(
            sold(200),
            attributed(200, 50, (1, "3.00"), (2, "2.00"), shares=("3.00", "2.00")),
            attached(200),
            linked(200, 50),
        )
    )


def test_a_return_of_goods_names_no_redemption() -> None:
    spent_five().when(sell(total="-10", redemption_id=50)).then_refused(InvalidTransaction)
