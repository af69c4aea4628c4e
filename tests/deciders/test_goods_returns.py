"""Returns of goods: taken off the sale their receipt names, whichever is known first."""

from typing import Any

import pytest
from deciders.receipts import (
    BOUGHT,
    CAKE,
    REF,
    TEA,
    bought,
    bring_back,
    brought_back,
    buy,
    filed,
    goods,
    matched,
    off_sale,
    waits,
    waits_no_more,
)
from deciders.sales import (
    attached,
    attributed,
    changed,
    detached,
    line,
    link,
    linked,
    noted,
    upsert,
    void,
    voided,
)
from deciders.scenario import (
    back,
    give_back,
    moment,
    redeem,
    redemption,
    registered,
    returned,
    reward,
)
from deciders.sold import NOON
from deciders.story import Given, elsewhere, given

from ledger.rejections import ReturnExceedsSale, TransactionHasReturns
from schemas.transaction_changes import ChangeTransaction
from schemas.transaction_returns import GoodsReturnVoided

OF_RETURN = {"external_id": None, "transacted_at": moment("2030-06-01 11:30:00")}
RETURN_NOTED = attached(100, "-6.00", **OF_RETURN)
BACK = {"quantity": "-1"}


def sold_70(profile: str | None = "p-1", **told: Any) -> Given:
    """Two cakes and a tea were sold."""
    noted_on = (attached(70, "16.00"),) if profile == "p-1" else ()
    return given(registered(), bought(70, profile, **told), filed(), *noted_on)


def paid_70() -> Given:
    """10.00 paid for it: 7.50 of them for the cakes."""
    return given(
        reward(1, "10.00", expires="2031-01-01"),
        redemption(50, (1, "10.00"), at=NOON),
        bought(),
        attributed(70, 50, (1, "10.00"), shares=("7.50", "2.50")),
        attached(70, "16.00"),
        linked(70, 50),
        filed(),
    ).under(return_policy="restore")


# ── The sale is known ────────────────────────────────────────────────────────────────────────────


def test_what_comes_back_is_taken_off_its_sale() -> None:
    story = (
        sold_70()
        .when(bring_back())
        .then(
            brought_back(100),
            off_sale(100, (0, 0, "1", "0")),
            matched(100, "p-1"),
            goods(100),
            RETURN_NOTED,
        )
    )
    sale = story.transaction(70)
    assert (sale.returned(0), sale.returned(1)) == (1_000_000, 0)


def test_no_more_comes_back_than_was_sold() -> None:
    story = sold_70().when(bring_back()).accepted()
    story.when(bring_back(CAKE | {"quantity": "-1.000001"})).then_refused(
        ReturnExceedsSale, transaction_id=70
    )
    story.when(bring_back(CAKE | BACK, CAKE | BACK)).then_refused(
        ReturnExceedsSale, transaction_id=70
    )
    story = story.when(bring_back()).accepted()
    story.when(bring_back()).then_refused(ReturnExceedsSale, transaction_id=70)
    story.when(bring_back(TEA | BACK)).accepted()


@pytest.mark.parametrize("names", [{}, {"sku": "cup"}, {"external_id": "l-9"}])
def test_what_was_not_sold_does_not_come_back(names: dict[str, Any]) -> None:
    sold_70().when(bring_back(line("1.00", "-1", **names))).then_refused(
        ReturnExceedsSale, transaction_id=70
    )


def test_lines_are_found_by_their_own_name_before_the_goods() -> None:
    lines = [
        line("1.00", "1", external_id="l-1", sku="cup", product_variant_id=1),
        line("1.00", "1", external_id="l-2", sku="cup", product_variant_id=1),
        line("2.00", "3", variant_external_id="v-1"),
    ]
    story = sold_70(items=lines)
    found = {
        "l-2": [line("1.00", "-1", external_id="l-2", sku="cup")],
        "sku": [line("1.00", "-2", external_id="r-1", sku="cup", product_variant_id=1)],
        "variant": [line("1.00", "-2", product_variant_id=1)],
        "foreign": [line("2.00", "-3", variant_external_id="v-1")],
    }
    taken = {name: _lines_back(story, lines) for name, lines in found.items()}
    assert taken == {
        "l-2": [(1, 1)],
        "sku": [(0, 1), (1, 1)],
        "variant": [(0, 1), (1, 1)],
        "foreign": [(2, 3)],
    }


def _lines_back(story: Given, lines: list[dict[str, Any]]) -> list[tuple[int, int]]:
    after = story.when(bring_back(*lines)).accepted()
    (taken,) = after.transaction(70).returns.values()
    return [(line, quantity // 1_000_000) for line, quantity, _ in taken]


def test_void_lines_neither_come_back_nor_are_sold() -> None:
    story = sold_70(items=[CAKE | {"is_void": True}, TEA])
    story.when(bring_back()).then_refused(ReturnExceedsSale, transaction_id=70)
    story.when(bring_back(CAKE | BACK | {"is_void": True}, TEA | BACK)).accepted()


def test_an_exchange_brings_back_and_sells() -> None:
    told = bring_back(CAKE | BACK, line("9.00", sku="pie"), total="3.00", receipt_ref="0043")
    story = sold_70().when(told).accepted()
    assert story.transaction(70).returned(0) == 1_000_000
    pie = bring_back(line("9.00", "-1", sku="pie"), linked_receipt_ref="0043")
    story.when(pie).accepted()


def test_the_latest_sale_before_it_counts_and_its_own_location_first() -> None:
    sales = (
        bought(70, location_id=1, transacted_at=moment("2030-05-01 10:00:00")),
        bought(71, location_id=1, transacted_at=moment("2030-05-20 10:00:00")),
        bought(72, location_id=2, transacted_at=moment("2030-05-30 10:00:00")),
        bought(73, location_id=1, transacted_at=moment("2030-06-01 11:45:00")),
    )
    story = given(registered(), *sales, *(filed(number) for number in (70, 71, 72, 73)))

    def sale_of(**told: Any) -> int | None:
        return story.when(bring_back(**told)).accepted().transaction(100).sale_id

    assert sale_of(location_id=1) == 71
    assert sale_of(location_id=2) == 72
    assert sale_of() == 72
    assert sale_of(location_id=3) is None
    assert sale_of(location_id=3, profile="p-1") == 72
    assert sale_of(location_id=1, transacted_at="2030-05-02 10:00:00") == 70


def test_a_void_sale_has_nothing_to_come_back() -> None:
    story = sold_70().when(void(70)).accepted()
    story.when(bring_back()).then(brought_back(200), waits(200))


def test_somebody_else_may_bring_it_back() -> None:
    story = (
        sold_70()
        .when(bring_back(profile="p-2"))
        .then(
            brought_back(100, profile="p-2"),
            elsewhere("p-2", registered("p-2"), RETURN_NOTED),
            off_sale(100, (0, 0, "1", "0")),
            matched(100),
            goods(100),
        )
    )
    assert story.transaction(100).profile_id == "p-2"


def test_what_names_no_receipt_is_kept_as_it_is() -> None:
    told = bring_back(linked_receipt_ref=None)
    sold_70().when(told).then(brought_back(100, linked_receipt_ref=None))
    sold_70().when(bring_back(CAKE, total="6.00")).then(
        brought_back(100, CAKE, total="6.00", total_minor=600)
    )


# ── The return is known first ────────────────────────────────────────────────────────────────────


def test_a_return_ahead_of_its_sale_waits() -> None:
    story = given(registered()).when(bring_back()).then(brought_back(100), waits(100))
    story.when(buy()).then(
        bought(200),
        attached(200, "16.00"),
        filed(200),
        off_sale(100, (0, 0, "1", "0"), sale=200),
        matched(100, "p-1", sale=200),
        goods(100, sale=200),
        RETURN_NOTED,
        waits_no_more(100),
    )


def test_its_own_account_learns_that_its_sale_was_found() -> None:
    story = given(registered()).when(bring_back(profile="p-1")).accepted()
    story.when(buy(None)).then(
        bought(200, None),
        filed(200),
        off_sale(100, (0, 0, "1", "0"), sale=200),
        matched(100, sale=200),
        noted(100, "-6.00"),
        waits_no_more(100),
    )


def test_what_came_back_too_much_refuses_no_sale() -> None:
    story = given().when(bring_back(CAKE | {"quantity": "-5"})).accepted()
    story = story.when(buy(None)).then(
        bought(200, None),
        filed(200),
        off_sale(100, (0, 0, "2", "0"), sale=200),
        matched(100, sale=200, excess=True),
        waits_no_more(100),
    )
    story.when(bring_back()).then_refused(ReturnExceedsSale, transaction_id=200)


def test_a_sale_after_it_is_not_the_one() -> None:
    story = given().when(bring_back()).accepted()
    later = buy(None, transacted_at="2030-06-01 11:30:01")
    story = story.when(later).then(
        bought(200, None, transacted_at=moment("2030-06-01 11:30:01")), filed(200)
    )
    corrected = upsert(transacted_at="2030-06-01 11:29:00")
    story.when(corrected).then(
        changed(200, transacted_at=moment("2030-06-01 11:29:00")),
        off_sale(100, (0, 0, "1", "0"), sale=200),
        matched(100, sale=200),
        waits_no_more(100),
    )


def test_only_so_many_wait_under_one_number() -> None:
    story = given()
    for _ in range(20):
        story = story.when(bring_back()).accepted()
    story.when(bring_back()).then(brought_back(2100))


def test_a_return_may_name_another_receipt_while_it_waits() -> None:
    story = given(
        bought(70, None), filed(), brought_back(71, linked_receipt_ref="x"), waits(71, "x")
    )
    told = {"transaction_id": 71, "linked_receipt_ref": REF}
    story.when(ChangeTransaction.model_validate(told)).then(
        changed(71, linked_receipt_ref=REF),
        waits_no_more(71, "x"),
        off_sale(71, (0, 0, "1", "0")),
        matched(71),
    )


def test_a_sale_may_get_another_number() -> None:
    story = given(bought(70, None), filed())
    story = story.when(upsert(receipt_ref="x")).accepted()
    story.when(bring_back()).then(brought_back(200), waits(200))
    story.when(bring_back(linked_receipt_ref="x")).accepted().when(upsert(tender="card")).accepted()


# ── What a redemption had paid ───────────────────────────────────────────────────────────────────


def test_the_share_of_what_comes_back_may_come_back_too() -> None:
    story = (
        paid_70()
        .when(bring_back(return_redemption=True))
        .then(
            brought_back(100, return_redemption=True),
            off_sale(100, (0, 0, "1", "3.75")),
            matched(100, "p-1"),
            goods(100, "3.75"),
            returned(101, 50, back(1, "3.75"), policy="restore"),
            RETURN_NOTED,
        )
    )
    both = bring_back(CAKE | BACK, TEA | BACK, return_redemption=True)
    story.when(both).accepted().then_balance("10.00")


def test_parts_of_a_line_add_up_to_its_share() -> None:
    story = paid_70()
    cents = []
    for _ in range(3):
        third = bring_back(CAKE | {"quantity": "-0.666666"}, return_redemption=True)
        story = story.when(third).accepted()
        cents.append(story.transaction(70).given_back_minor[0])
    rest = bring_back(CAKE | {"quantity": "-0.000002"}, return_redemption=True)
    story = story.when(rest).accepted()
    assert (cents, story.transaction(70).given_back_minor[0]) == ([249, 499, 749], 750)


def test_it_draws_on_what_a_return_of_value_has_left() -> None:
    story = paid_70().when(give_back(50, "9.00", "restore"), at=NOON).accepted()
    told = bring_back(CAKE | {"quantity": "-2"}, TEA | BACK, return_redemption=True)
    story = story.when(told, at=NOON).accepted()
    assert dict(story.transaction(70).given_back_minor.items()) == {0: 100, 1: 0}
    story.then_balance("10.00")


def test_without_being_asked_for_nothing_comes_back() -> None:
    paid_70().when(bring_back()).accepted().then_balance("0.00")
    sold_70(None).when(bring_back(return_redemption=True)).then(
        brought_back(100, return_redemption=True), off_sale(100, (0, 0, "1", "0")), matched(100)
    )


def test_a_return_that_waited_brings_it_back_as_well() -> None:
    story = given(
        reward(1, "10.00", expires="2031-01-01"), redemption(50, (1, "10.00"), at=NOON)
    ).under(return_policy="restore")
    story = story.when(bring_back(return_redemption=True)).accepted()
    story.when(buy(redemption_id=50)).accepted().then_balance("3.75")


def test_a_void_gives_back_what_no_return_has() -> None:
    story = paid_70().when(bring_back(return_redemption=True)).accepted()
    story.when(void(70)).accepted().then_balance("10.00")


# ── Changes and voids ────────────────────────────────────────────────────────────────────────────


def test_a_void_return_took_nothing_off() -> None:
    story = sold_70().when(bring_back()).accepted()
    story = story.when(void(100)).then(
        voided(100),
        detached(100),
        GoodsReturnVoided(transaction_id=70, return_transaction_id=100),
        noted(70, "16.00"),
    )
    story.when(bring_back(CAKE | {"quantity": "-2"})).accepted()


def test_what_a_void_return_gave_back_comes_back_once() -> None:
    story = paid_70().when(bring_back(return_redemption=True)).accepted()
    story = story.when(void(100)).accepted().when(bring_back(return_redemption=True)).accepted()
    story.then_balance("3.75")
    both = bring_back(return_redemption=True)
    story.when(both).accepted().then_balance("7.50")


def test_a_void_return_waits_no_more() -> None:
    story = given().when(bring_back()).accepted()
    story.when(void(100)).then(voided(100), waits_no_more(100))
    given().when(bring_back(is_void=True)).then(brought_back(100), voided(100))


def test_lines_of_which_some_came_back_stay_as_they_are() -> None:
    story = sold_70().when(bring_back(external_id="r-1")).accepted()
    story.when(upsert(items=BOUGHT[:1])).then_refused(TransactionHasReturns)
    story.when(upsert(items=BOUGHT, tender="card")).then(
        changed(70, tender="card"), noted(70, "16.00")
    )
    for told in ({"items": [TEA | BACK]}, {"linked_receipt_ref": "x"}):
        story.when(upsert(external_id="r-1", **told)).then_refused(TransactionHasReturns)


def test_returns_of_nobodys_follow_a_sale_that_a_redemption_makes_a_profiles() -> None:
    """Whichever way it becomes one."""
    account = given(reward(1, "10.00", expires="2031-01-01")).history
    story = Given((*account, *given(bought(70, None), filed()).history))
    story = story.when(bring_back()).accepted()
    story.when(redeem("4.00", transaction_external_id="t-1")).accepted().then_owners(
        {70: "p-1", 100: "p-1"}
    )
    redeemed = story.when(redeem("4.00")).accepted()
    redeemed.when(link(70, 200)).accepted().then_owners({70: "p-1", 100: "p-1"})
    story.when(upsert(profile_id="p-1")).accepted().then_owners({70: "p-1", 100: "p-1"})
