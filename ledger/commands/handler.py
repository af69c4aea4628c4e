"""How one command is answered, and the usual ways to write a handler down."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ledger.account.handover import BothSides
from ledger.account.state import Account
from ledger.addressing import account_of, to_whom_it_is_now
from ledger.decider import Circumstances, Decision, View
from ledger.programme.state import PROGRAMME_STREAM, Programme
from ledger.rejections import AlreadyMerged
from ledger.streams import account_stream
from schemas.commands import Command
from schemas.events import Event


@dataclass(frozen=True, slots=True)
class Handler:
    """How one command is answered. `likely` and `also` name streams worth loading before deciding.

    A stream that is missed costs the whole group another pass.
    """

    decide: Callable[[Any, View, Circumstances], Decision]
    likely: Callable[[Any], str | None] = lambda _: None
    also: Callable[[Any], Iterable[str]] = lambda _: ()
    is_itself: bool = False
    """The profile it names is meant as such: whoever closes a duplicate means no other one."""


Handlers = Mapping[type[Command], Handler]


def on_programme(
    decide: Callable[[Any, Programme, Circumstances], tuple[Event, ...]],
) -> Handler:
    """A command about the programme alone."""

    def decide_on_programme(command: Any, view: View, at: Circumstances) -> Decision:
        return on_one(PROGRAMME_STREAM, decide(command, view.state(PROGRAMME_STREAM), at))

    return Handler(decide_on_programme)


def on_account(
    stream: Callable[[Any, View], str],
    decide: Callable[[Any, Account, Programme, Circumstances], tuple[Event, ...]],
    likely: Callable[[Any], str | None] = lambda _: None,
) -> Handler:
    """A command about one account, which may look at the programme."""

    def decide_on_account(command: Any, view: View, at: Circumstances) -> Decision:
        stream_id = stream(command, view)
        programme = view.state(PROGRAMME_STREAM)
        return on_one(stream_id, decide(command, view.state(stream_id), programme, at))

    return Handler(decide_on_account, likely)


def for_whom_it_is_now(handler: Handler) -> Handler:
    """The same, but a command that names a merged profile is about whom that one has become."""

    def decide(command: Any, view: View, at: Circumstances) -> Decision:
        now = to_whom_it_is_now(command, view)
        if handler.is_itself and now.profile_id != command.profile_id:
            raise AlreadyMerged(
                f"Profile {command.profile_id} has become {now.profile_id}; name that one.",
                merged_into=now.profile_id,
            )
        return handler.decide(now, view, at)

    return replace(handler, decide=decide)


def itself(handler: Handler) -> Handler:
    """The same, but refused where the profile has become another one."""
    return replace(handler, is_itself=True)


def on_one(stream_id: str, events: Iterable[Event]) -> Decision:
    """A decision that writes to one stream."""
    return Decision(stream_id, tuple((stream_id, event) for event in events))


def on_two(giver: str, taker: str, both: BothSides) -> Decision:
    """A decision that moves something between accounts; the answer is about the taker's.

    The giver's events come first, so that whoever reads the log in order never sees a thing twice.
    """
    return Decision(
        taker,
        (*((giver, event) for event in both.giver), *((taker, event) for event in both.taker)),
    )


def of_profile(command: Any, view: View) -> str:
    """The account of the profile a command names."""
    return account_of(command.profile_id, view)


def likely_profile(command: Any) -> str | None:
    """That account's stream, as far as the command alone tells it."""
    return None if command.profile_id is None else account_stream(command.profile_id)
