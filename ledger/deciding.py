"""Deciding a group: each command on top of those before it, in memory, without I/O."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ledger.addressing import holder_now
from ledger.claims import claims_of
from ledger.commands import HANDLERS
from ledger.decider import Circumstances, Decision
from ledger.event_store.port import APPEND_EVENTS_MAX, NewEvent, StreamHead
from ledger.group import Decided, Group, GroupView, NotLoaded, Versioned, new_event, unit_of
from ledger.programme.state import PROGRAMME_STREAM, Programme
from ledger.rejections import Rejection
from ledger.repeats import answer_to_repeat, external_name
from ledger.streams import fold_state
from ledger.submission import Accepted, Pending, Submission
from schemas.events import Event

GROUP_BYTES_MAX = 4 * 1024 * 1024
GROUP_DECIDE_SECONDS_MAX = 0.1
"""A group ends where one of these is passed; the rest goes into the next."""


class IdsExhausted(Exception):
    """A decision took more identifiers than were in stock."""


def decide_group(waiting: Sequence[Pending], group: Group, at: Circumstances) -> int:
    """Decide in order; how many were decided before a limit ended the group.

    What a decision misses is noted in the group and its command left undecided: load, start over.

    Raises:
        IdsExhausted: get more identifiers and start over.
    """
    deadline = time.monotonic() + GROUP_DECIDE_SECONDS_MAX
    for index, pending in enumerate(waiting):
        full = (
            group.event_count >= APPEND_EVENTS_MAX // 2
            or group.event_bytes >= GROUP_BYTES_MAX
            or (index and time.monotonic() > deadline)
        )
        if full:
            return index
        decided = _decide(pending, group, at)
        if decided is not None:
            group.decided.append(decided)
    return len(waiting)


def _decide(pending: Pending, group: Group, at: Circumstances) -> Decided | None:
    """One command on the overlay. A guilty command fails alone and leaves no trace."""
    view = GroupView(group)
    submission = pending.submission
    try:
        view.state(PROGRAMME_STREAM)
        return _repeated(pending, view, group, at) or _accepted(pending, view, group, at)
    except NotLoaded:
        return None
    except IdsExhausted:
        raise
    except Rejection as rejection:
        unit = None
        if not submission.dry_run:
            unit = unit_of(submission, (), (), rejection)
        return Decided(pending, rejection, unit, view.read)
    except Exception as error:
        # It may rest on what is no longer so: like a refusal it stands only if nothing has moved.
        return Decided(pending, error, read=view.read)


def _repeated(pending: Pending, view: GroupView, group: Group, at: Circumstances) -> Decided | None:
    """The answer to a second request under one external_id."""
    submission = pending.submission
    name = external_name(submission)
    standing = None if name is None else group.claim(name)
    if standing is None:
        return None
    standing = replace(standing, stream_id=holder_now(standing.stream_id, view))
    answer = answer_to_repeat(submission, standing, view.state(standing.stream_id), at.now)
    unit = None if submission.dry_run else unit_of(submission, (), (), answer)
    return Decided(pending, answer, unit, view.read)


def _accepted(pending: Pending, view: GroupView, group: Group, at: Circumstances) -> Decided:
    submission = pending.submission
    at = _circumstances(submission, view.state(PROGRAMME_STREAM), at)
    decision = HANDLERS[type(submission.command)].decide(submission.command, view, at)
    claims = claims_of(decision, view, submission.fingerprint, at.now)
    new, streams = _written(decision, view, at)
    states = {stream_id: versioned.state for stream_id, versioned in streams.items()}
    if decision.stream_id not in states:
        states[decision.stream_id] = view.before(decision.stream_id).state
    programme = states.get(PROGRAMME_STREAM) or view.state(PROGRAMME_STREAM)
    answer = Accepted(
        decision.stream_id,
        decision.written,
        states,
        at.now,
        dry_run=submission.dry_run,
        settings=programme.settings or at.settings,
    )
    if submission.dry_run:
        return Decided(pending, answer, None, view.read)
    unit = unit_of(submission, new, claims, answer)
    if decision.releases or decision.forgets:
        unit = replace(unit, releases=decision.releases, forgets=decision.forgets)
    group.overlay.update(streams)
    group.event_count += len(new)
    group.event_bytes += sum(len(event.payload) for event in new)
    return Decided(pending, answer, unit, view.read)


def _written(
    decision: Decision, view: GroupView, at: Circumstances
) -> tuple[tuple[NewEvent, ...], dict[str, Versioned]]:
    """The events as the store takes them, and what they make of each stream they belong to."""
    streams: dict[str, list[Event]] = {}
    new: list[NewEvent] = []
    for stream_id, event in decision.written:
        events = streams.setdefault(stream_id, [])
        events.append(event)
        version = view.before(stream_id).head.version + len(events)
        new.append(new_event(event, stream_id, version, at.now))
    after: dict[str, Versioned] = {}
    for stream_id, events in streams.items():
        before = view.before(stream_id)
        head = StreamHead(before.head.version + len(events))
        after[stream_id] = Versioned(fold_state(before.state, events), head)
    return tuple(new), after


def _circumstances(
    submission: Submission, programme: Programme, at: Circumstances
) -> Circumstances:
    """The group's circumstances with the settings that hold and what this submission brings."""
    settings = programme.settings or at.settings
    brings = (submission.personal, submission.limited, submission.erasable)
    names = (submission.identity, submission.identities)
    moment = submission.as_of or submission.occurred_at
    if settings is at.settings and moment is None and not any((*brings, *names)):
        return at
    return replace(
        at,
        settings=settings,
        now=moment or at.now,
        learned_at=None if submission.occurred_at is None else at.now,
        personal=submission.personal,
        erasable=submission.erasable,
        identity=submission.identity,
        identities=submission.identities,
        limited=submission.limited,
    )


def fresh_ids(stock: list[int]) -> Iterator[int]:
    """Identifiers from the end of a stock, the lowest first.

    Raises:
        IdsExhausted: the stock is empty.
    """
    while stock:
        yield stock.pop()
    raise IdsExhausted
