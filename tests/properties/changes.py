"""What staff do to rewards, as rules of a machine: adjust them, let them live longer."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from properties.changes_model import KEEP, ChangingModel
from properties.moments import amount_of, instant

from ledger.account.reward_changes import adjust_reward, extend_rewards
from ledger.account.state import Account
from ledger.decider import Circumstances
from schemas.events import Event
from schemas.movements import Book
from schemas.rewards import AdjustReward, ExtendRewards, RewardAdjusted, RewardExtended

WHICH = st.integers(0, 1000)
CENTS = st.one_of(st.none(), st.integers(0, 900))
END = st.sampled_from([KEEP, KEEP, None, 3600, 90_000, 0, -60, -90_000, -1_000_000])


class Changes(RuleBasedStateMachine):
    """The rules; the machine they are mixed into has both sides and compares them."""

    account: Account
    model: ChangingModel
    now: int

    def _ask(self, decide: Callable[[Circumstances], tuple[Event, ...]]) -> Any:
        raise NotImplementedError

    def _same_answer(self, answer: Any, expected: Callable[[], Any]) -> Any:
        raise NotImplementedError

    @precondition(lambda self: self.model.lots)
    @rule(which=WHICH, initial=CENTS, remaining=CENTS, end=END)
    def adjust(
        self, which: int, initial: int | None, remaining: int | None, end: str | int | None
    ) -> None:
        number = self._some_reward(which)
        expires = self.now // 1000 + end if isinstance(end, int) else end
        fields: dict[str, Any] = {"reward_id": number}
        if initial is not None:
            fields["value_initial"] = amount_of(initial)
        if remaining is not None:
            fields["value_remaining"] = amount_of(remaining)
        if expires != KEEP:
            at = None if expires is None else instant(int(expires) * 1000).isoformat()
            fields["expires_at"] = at
        if len(fields) == 1:
            return
        command = AdjustReward.model_validate(fields)
        answer = self._ask(lambda at: adjust_reward(command, self.account, at))
        wanted = self._same_answer(
            answer, lambda: self.model.adjust(number, initial, remaining, expires)
        )
        if wanted is None:
            return
        more, changed = wanted
        told = [event for event in answer if isinstance(event, RewardAdjusted)]
        assert bool(told) is changed
        if told:
            assert _difference(told[0]) == more

    @precondition(lambda self: self.model.lots)
    @rule(
        which=st.lists(WHICH, min_size=1, max_size=2),
        days=st.sampled_from([None, None, 1, 2]),
        until=st.sampled_from([None, None, 100_000, -10, 0, 259_200]),
    )
    def extend(self, which: list[int], days: int | None, until: int | None) -> None:
        numbers = list(dict.fromkeys(self._some_reward(each) for each in which))
        second = None if until is None or days is not None else self.now // 1000 + until
        command = ExtendRewards.model_validate(
            {
                "profile_id": "p-1",
                "ids": numbers,
                "extend_days": days,
                "extend_date": None if second is None else instant(second * 1000).isoformat(),
            }
        )
        answer = self._ask(lambda at: extend_rewards(command, self.account, at))
        ends = self._same_answer(answer, lambda: self.model.extend(numbers, days, second))
        if ends is not None:
            told = [event for event in answer if isinstance(event, RewardExtended)]
            assert [event.reward_id for event in told] == numbers
            assert [event.expires_at for event in told] == [instant(end * 1000) for end in ends]

    @precondition(lambda self: any(lot["may_live_longer"] for lot in self.model.lots.values()))
    @rule(which=WHICH, days=st.sampled_from([1, 2, 30]))
    def extend_one_that_may(self, which: int, days: int) -> None:
        """By chance alone few would be."""
        lots = self.model.lots
        numbers = [number for number in lots if lots[number]["may_live_longer"]]
        self.extend([list(lots).index(numbers[which % len(numbers)])], days, None)

    def _some_reward(self, which: int) -> int:
        numbers = [*self.model.lots, 999_999]
        return int(numbers[which % len(numbers)])


def _difference(event: RewardAdjusted) -> int:
    added = sum(m.amount_minor for m in event.movements if m.source is Book.ISSUED)
    taken = sum(m.amount_minor for m in event.movements if m.target is Book.REVOKED)
    return added - taken
