"""What counts as of a moment: what was told late counts from when it happened, what time brings
from when it was due, and nothing is taken that was not there."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from history.test_history import issued, recorded, redeemed

from ledger.account.folding import fold
from ledger.explanation import in_order, lots_at, redemptions_in, steps_of
from ledger.past import Amounts, Cut, Happened, account_after, amounts_at, happened
from schemas.envelope import Recorded
from schemas.events import Event
from schemas.holds import HoldLapsed, RedemptionHeld
from schemas.movements import Book, moved
from schemas.profiles import ProfileRegistered
from schemas.redemptions import RedemptionMade, RedemptionReversed
from schemas.rewards import RewardActivated, RewardAdjusted, RewardExpired
from schemas.transactions import TransactionAttached, TransactionLinked, TransactionUnlinked

START = datetime(2031, 1, 1, tzinfo=UTC)
REGISTERED = ProfileRegistered(profile_id="p-1")


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def told(*events: tuple[Event, float, float]) -> list[Recorded]:
    """Events with the day each occurred, and the day it was recorded."""
    lines = recorded([event for event, _, _ in events])
    return [
        replace(line, occurred_at=day(occurred), recorded_at=day(known))
        for line, (_, occurred, known) in zip(lines, events, strict=True)
    ]


def as_of(stream: Sequence[Recorded], at: float, *, known: bool = False) -> Amounts:
    cut = Cut(day(at), recorded=known)
    return amounts_at(account_after(happened(stream, cut)), cut.at)


def available(stream: Sequence[Recorded], at: float, *, known: bool = False) -> int:
    return as_of(stream, at, known=known).available_minor


def expired(minor: int, on: float = 10) -> RewardExpired:
    movements = moved(1, Book.AVAILABLE, Book.EXPIRED, minor)
    return RewardExpired(reward_id=1, expires_at=day(on), movements=movements)


def late(redemption_id: int, minor: int, source: Book = Book.AVAILABLE) -> RedemptionMade:
    made = redeemed(redemption_id, (1, minor))
    movements = moved(1, source, Book.REDEEMED, minor)
    return made.model_copy(update={"movements": movements})


LIVED = told(
    (REGISTERED, 0, 0),
    (issued(1, 1000, day(10)), 0, 0),
    (redeemed(9, (1, 300)), 2, 2),
    (expired(700), 12, 12),
)


@pytest.mark.parametrize(
    ("at", "minor"), [(-1, 0), (0, 1000), (1.9, 1000), (2, 700), (9.9, 700), (10.1, 0), (13, 0)]
)
def test_what_is_told_in_time_is_a_beginning_by_either_time(at: float, minor: int) -> None:
    assert available(LIVED, at) == available(LIVED, at, known=True) == minor


def test_a_reward_is_good_to_the_end_of_its_second() -> None:
    last = Cut.told("2031-01-11 00:00:00", "UTC")
    assert amounts_at(account_after(happened(LIVED, last)), last.at).available_minor == 700
    after = Cut.told("2031-01-11 00:00:01", "UTC")
    assert amounts_at(account_after(happened(LIVED, after)), after.at).available_minor == 0


def test_a_whole_second_means_its_end_and_a_fraction_itself() -> None:
    second = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert Cut.told("2031-01-02 03:04:05", "UTC").at == second.replace(microsecond=999_999)
    assert Cut.told("2031-01-02T04:04:05+01:00", "UTC").at == second.replace(microsecond=999_999)
    assert Cut.told("2031-01-02T03:04:05.000Z", "UTC").at == second


def test_an_expiry_recorded_late_counts_from_when_it_was_due() -> None:
    by_business = happened(LIVED, Cut(day(11)))
    assert [each.recorded.type for each in by_business][-1] == "RewardExpired"
    known = happened(LIVED, Cut(day(11), recorded=True))
    assert [each.recorded.type for each in known][-1] == "RedemptionMade"


def test_what_was_told_late_counts_from_when_it_happened() -> None:
    stream = told((REGISTERED, 0, 0), (issued(1, 1000, None), 0, 0), (late(9, 400), 3, 6))
    assert [available(stream, at) for at in (2.9, 3, 6)] == [1000, 600, 600]
    assert [available(stream, at, known=True) for at in (2.9, 3, 5.9, 6)] == [
        1000, 1000, 1000, 600,
    ]  # fmt: skip


def test_what_was_swept_before_it_was_told_was_not_expired_then() -> None:
    """The till took 4 in time; the ledger had it expired when it heard of it."""
    stream = told(
        (REGISTERED, 0, 0),
        (issued(1, 1000, day(10)), 0, 0),
        (expired(1000), 10.1, 10.1),
        (late(9, 400, Book.EXPIRED), 9, 11),
    )
    assert [available(stream, at) for at in (8, 9, 10, 10.5, 12)] == [1000, 600, 600, 0, 0]
    (taken,) = happened(stream, Cut(day(9.5)))[-1].event.movements
    assert (taken.source, taken.target, taken.amount_minor) == ("available", "redeemed", 400)
    (taken,) = happened(stream, Cut(day(12)))[-1].event.movements
    assert taken.source == "expired"


def test_what_two_tills_have_spent_is_covered_once() -> None:
    movements = moved(1, Book.REDEEMED, Book.AVAILABLE, 800)
    back = RedemptionReversed(reversal_id=10, redemption_id=8, total_minor=800, movements=movements)
    stream = told(
        (REGISTERED, 0, 0),
        (issued(1, 1000, None), 0, 0),
        (redeemed(8, (1, 800)), 5, 5),
        (back, 7, 7),
        (late(9, 600), 4, 8),
    )
    last = happened(stream, Cut(day(6)))[-1]
    assert (last.recorded.type, last.uncovered_minor) == ("RedemptionMade", 400)
    assert available(stream, 6) == 0
    assert available(stream, 8) == 400


def test_a_lapse_counts_from_its_deadline_and_leaves_its_value_to_who_came_after() -> None:
    held = RedemptionHeld.model_validate(
        RedemptionHeld.EXAMPLE
        | {
            "redemption_id": 8,
            "held_until": day(3),
            "movements": moved(1, Book.AVAILABLE, Book.HELD, 1000),
        }
    )
    lapsed = HoldLapsed(
        redemption_id=8,
        released_minor=1000,
        held_until=day(3),
        movements=moved(1, Book.HELD, Book.AVAILABLE, 1000),
    )
    stream = told(
        (REGISTERED, 0, 0),
        (issued(1, 1000, None), 0, 0),
        (held, 2, 2),
        (lapsed, 5, 5),
        (late(9, 400), 4, 6),
    )
    assert as_of(stream, 2.5) == Amounts(0, 0, 1000)
    assert as_of(stream, 3.5) == Amounts(1000, 0, 0)
    assert as_of(stream, 4.5) == Amounts(600, 0, 0)
    assert happened(stream, Cut(day(4.5)))[-1].uncovered_minor == 0


def test_a_reward_is_spent_late_though_only_the_clock_had_begun_it() -> None:
    pending = issued(1, 1000, None).model_copy(
        update={"issued_at": day(2), "movements": moved(1, Book.ISSUED, Book.PENDING, 1000)}
    )
    begun = RewardActivated(reward_id=1, movements=moved(1, Book.PENDING, Book.AVAILABLE, 1000))
    stream = told((REGISTERED, 0, 0), (pending, 0, 0), (begun, 5, 5), (late(9, 400), 3, 6))
    assert [as_of(stream, at) for at in (1, 2.5, 3.5)] == [
        Amounts(0, 1000, 0), Amounts(1000, 0, 0), Amounts(600, 0, 0),
    ]  # fmt: skip


def test_a_correction_into_the_past_counts_from_when_it_was_made() -> None:
    ended = RewardAdjusted(
        reward_id=1,
        changed=("expires_at",),
        value_initial_minor=1000,
        value_remaining_minor=1000,
        expires_at=day(1),
    )
    stream = told(
        (REGISTERED, 0, 0), (issued(1, 1000, None), 0, 0), (ended, 5, 5), (expired(1000, 1), 5, 5)
    )
    assert [available(stream, at) for at in (3, 5)] == [1000, 0]


def test_nothing_happens_to_what_is_not_there_yet() -> None:
    """Told as of day 3 of a reward that the ledger only heard of on day 5."""
    stream = told((REGISTERED, 0, 0), (issued(1, 1000, None), 5, 5), (late(9, 400), 3, 6))
    assert [available(stream, at) for at in (3, 4.9, 5)] == [0, 0, 600]
    link = TransactionLinked(transaction_id=900, redemption_id=9)
    linked = told(
        (REGISTERED, 0, 0),
        (issued(1, 1000, None), 0, 0),
        (redeemed(9, (1, 300)), 4, 4),
        (link, 2, 5),
    )
    assert fold(each.event for each in happened(linked, Cut(day(3)))).redemptions.get(9) is None
    assert account_after(happened(linked, Cut(day(4)))).redemptions[9].transaction_id == 900


# ── Explanations ─────────────────────────────────────────────────────────────────────────────────


def tellings(stream: Sequence[Recorded], cut: Cut | None = None) -> dict[str, Sequence[Happened]]:
    return {"p-1": happened(stream, cut)}


def test_the_steps_of_a_reward_sum_up_to_what_is_left() -> None:
    past = tellings(LIVED, Cut(day(5)))
    known = lots_at(account_after(past["p-1"]), day(5))
    (steps,) = steps_of({1: known.open[0]}, in_order(past), "p-1", known.due).values()
    assert [(type(s.event).__name__, s.change.available_minor) for s in steps] == [
        ("RewardIssued", 1000),
        ("RedemptionMade", -300),
    ]
    assert [step.after.available_minor for step in steps] == [1000, 700]


def test_what_is_due_and_not_recorded_is_a_step() -> None:
    stream = LIVED[:3]
    past = tellings(stream)
    known = lots_at(account_after(past["p-1"]), day(11))
    assert (list(known.open), [lot.id for lot in known.closed]) == ([], [1])
    (steps,) = steps_of({1: known.closed[0]}, in_order(past), "p-1", known.due).values()
    assert (steps[-1].told, steps[-1].occurred_at) == (None, day(10))
    assert steps[-1].change == Amounts(-700, 0, 0)
    assert steps[-1].after == Amounts()


def test_what_is_known_of_a_redemption_is_what_was_known_then() -> None:
    named = redeemed(9, (1, 300)).model_copy(
        update={"external_id": "r-9", "transaction_external_id": "t-1", "location_id": "melbourne"}
    )
    attached = TransactionAttached.model_validate(
        TransactionAttached.EXAMPLE | {"transaction_id": 900, "external_id": "sale"}
    )
    stream = told(
        (REGISTERED, 0, 0),
        (issued(1, 1000, None), 0, 0),
        (named, 1, 1),
        (attached, 2, 2),
        (TransactionLinked(transaction_id=900, redemption_id=9), 2, 2),
        (TransactionUnlinked(transaction_id=900, redemption_id=9), 3, 3),
    )

    def known(at: float) -> tuple[object, ...]:
        found = redemptions_in(in_order(tellings(stream, Cut(day(at)))), {9})[9]
        assert (found.external_id, found.location_id) == ("r-9", "melbourne")
        return found.transaction_id, found.transaction_external_id

    assert [known(at) for at in (1, 2, 3)] == [(None, "t-1"), (900, "sale"), (None, "t-1")]
