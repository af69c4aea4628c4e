"""History: every event in words, with the balance after it."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

import schemas.profiles
import schemas.redemptions
import schemas.reward_definitions
import schemas.rewards
import schemas.transactions  # noqa: F401 -- all events are known then
from ledger.event_words import in_words
from ledger.history import history_of, sealed_in
from ledger.past import Cut
from schemas.envelope import Recorded
from schemas.events import Event, encode, known_events
from schemas.movements import Book, moved
from schemas.profiles import ProfileRegistered
from schemas.redemptions import RedemptionMade, RedemptionReturned, RedemptionReversed
from schemas.rewards import RewardExpired, RewardIssued, RewardRevoked

START = datetime(2031, 1, 1, tzinfo=UTC)
END = datetime(2031, 2, 1, tzinfo=UTC)


def recorded(events: Sequence[Event], late_by: timedelta = timedelta()) -> list[Recorded]:
    """Each a day after the one before; `late_by` is how much later it was recorded."""
    return [
        Recorded(
            position=100 + number,
            stream_id="account-p-1",
            stream_version=number + 1,
            type=type(event).__name__,
            schema_version=event.SCHEMA_VERSION,
            payload=encode(event),
            command_id=UUID(int=number),
            correlation_id=None,
            causation_id=None,
            occurred_at=START + timedelta(days=number),
            recorded_at=START + timedelta(days=number) + late_by,
            actor="till 4",
            batch_index=0,
            batch_size=1,
            chain=b"",
        )
        for number, event in enumerate(events)
    ]


def issued(reward_id: int, minor: int, expires_at: datetime | None = END) -> RewardIssued:
    changes = {
        "reward_id": reward_id,
        "value_initial_minor": minor,
        "value_remaining_minor": minor,
        "issued_at": START,
        "expires_at": expires_at,
        "movements": moved(reward_id, Book.ISSUED, Book.AVAILABLE, minor),
    }
    return RewardIssued.model_validate(RewardIssued.EXAMPLE | changes)


def redeemed(redemption_id: int, *parts: tuple[int, int], requested: int = 0) -> RedemptionMade:
    total = sum(minor for _, minor in parts)
    changes = {
        "redemption_id": redemption_id,
        "requested_minor": requested or total,
        "total_minor": total,
        "movements": tuple(
            movement
            for lot, minor in parts
            for movement in moved(lot, Book.AVAILABLE, Book.REDEEMED, minor)
        ),
    }
    return RedemptionMade.model_validate(RedemptionMade.EXAMPLE | changes)


STORY: tuple[Event, ...] = (
    ProfileRegistered(profile_id="p-1"),
    issued(1, 1000),
    issued(2, 550, None),
    redeemed(9, (1, 1000), (2, 250)),
    RedemptionReversed(
        reversal_id=10,
        redemption_id=9,
        total_minor=1250,
        movements=(
            *moved(1, Book.REDEEMED, Book.AVAILABLE, 1000),
            *moved(2, Book.REDEEMED, Book.AVAILABLE, 250),
        ),
    ),
    RewardExpired(
        reward_id=1, expires_at=END, movements=moved(1, Book.AVAILABLE, Book.EXPIRED, 1000)
    ),
    RewardRevoked(
        reward_id=2,
        personal="sealed reason",
        movements=moved(2, Book.AVAILABLE, Book.REVOKED, 550),
    ),
)


def test_each_event_stands_with_the_balance_after_it() -> None:
    history = history_of(recorded(STORY))
    assert [entry.balance_minor for entry in history.entries] == [
        0, 1000, 1550, 300, 1550, 550, 0,
    ]  # fmt: skip
    assert [entry.change_minor for entry in history.entries] == [
        0, 1000, 550, -1250, 1250, -1000, -550,
    ]  # fmt: skip


def test_events_are_told_in_words() -> None:
    assert [entry.words for entry in history_of(recorded(STORY)).entries] == [
        "Profile p-1 registered",
        "Reward 1 issued under definition 6: 10 AUD until 2031-02-01 00:00:00 UTC",
        "Reward 2 issued under definition 6: 5.5 AUD without an end",
        "Redemption 9 took 12.5 AUD from rewards 1 (10 AUD), 2 (2.5 AUD)",
        "Redemption 9 reversed: 12.5 AUD given back to rewards 1 (10 AUD), 2 (2.5 AUD)",
        "Reward 1 expired at 2031-02-01 00:00:00 UTC with 10 AUD unspent",
        "Reward 2 revoked, 5.5 AUD taken back",
    ]


def test_a_reason_is_told_to_whom_it_was_opened() -> None:
    assert sealed_in(recorded(STORY)) == {"sealed reason"}
    for opened, words in (
        ({"sealed reason": {"reason": "issued twice"}}, "5.5 AUD taken back: issued twice"),
        ({"sealed reason": None}, "5.5 AUD taken back"),
        ({"sealed reason": {"meta": {}}}, "5.5 AUD taken back"),
    ):
        last = history_of(recorded(STORY), opened=opened).entries[-1]
        assert last.words == f"Reward 2 revoked, {words}"


def test_the_envelope_is_kept() -> None:
    entry = history_of(recorded(STORY)).entries[1]
    assert (entry.position, entry.stream_version, entry.actor) == (101, 2, "till 4")
    assert entry.movements == STORY[1].movements


def test_it_stops_at_an_instant_of_business_time_inclusive() -> None:
    history = history_of(recorded(STORY), cut=Cut(START + timedelta(days=2)))
    assert [entry.stream_version for entry in history.entries] == [1, 2, 3]
    assert history.entries[-1].balance_minor == 1550


def test_recorded_time_shows_what_was_known_then() -> None:
    events = recorded(STORY, late_by=timedelta(days=10))
    at = START + timedelta(days=11)
    assert len(history_of(events, cut=Cut(at, recorded=True)).entries) == 2
    assert len(history_of(events, cut=Cut(at)).entries) == len(STORY)


def test_a_reward_past_its_time_is_not_spendable_though_not_yet_recorded() -> None:
    history = history_of(recorded(STORY[:3]))
    assert history.balance_minor(END - timedelta(days=1)) == 1550
    assert history.balance_minor(END + timedelta(seconds=1)) == 550


def test_an_empty_stream_is_an_empty_history() -> None:
    history = history_of(())
    assert history.entries == ()
    assert history.balance_minor(START) == 0


def test_amounts_follow_the_currency() -> None:
    history = history_of(recorded(STORY[:2]), currency="JPY", currency_digits=0)
    assert "1000 JPY" in history.entries[1].words
    assert history.amount(1000) == 1000


def test_a_short_redemption_says_what_was_asked_for() -> None:
    words = in_words(redeemed(9, (1, 300), requested=500), "AUD", 2)
    assert words == "Redemption 9 took 3 AUD of the 5 AUD asked for from reward 1"


def test_what_could_not_come_back_is_said() -> None:
    returned = RedemptionReturned(
        return_id=11, redemption_id=9, total_minor=0, policy="restore", forfeited_minor=400
    )
    assert in_words(returned, "AUD", 2).endswith("4 AUD forfeited, its reward was revoked")


@pytest.mark.parametrize("event_class", known_events(), ids=lambda cls: cls.__name__)
def test_every_event_has_words(event_class: type[Event]) -> None:
    words = in_words(event_class.model_validate(event_class.EXAMPLE), "AUD", 2)
    assert re.match(r"[A-Z0-9]", words)
    assert not words.endswith(".")
