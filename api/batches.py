"""Batches: many commands in one body, each judged and answered on its own.

The rows go to the committer together, so that one commit takes many of them, and in their order,
which is the order the rows of one profile are decided in. They wait behind what tills ask for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import structlog
from fastapi import Request, Response
from pydantic import Field, ValidationError, WrapValidator

from api.commanding import Answered, committed, idempotency_key, submissions_of
from api.personal import Document
from api.problems import Refused
from api.services import services_of
from api.tokens import Caller
from ledger.group import names_of
from ledger.submission import Submission
from schemas.commands import Command
from schemas.sentences import sentences

ROWS_MAX: Final = 1_000
TOGETHER_MAX: Final = 500
"""How many rows of one batch wait in the committer's line at once."""
LATER: Final = 503

log = structlog.get_logger("api")


@dataclass(frozen=True, slots=True)
class Unfit:
    """A row that is no command, and what is wrong with which of its fields."""

    errors: dict[str, list[str]]


def _on_its_own(row: Any, read: Callable[[Any], Command]) -> Command | Unfit:
    """A row that can't be read must not spoil the others."""
    try:
        return read(row)
    except ValidationError as error:
        return Unfit(sentences(each | {"loc": ("row", *each["loc"])} for each in error.errors()))


SomeCommand = TypeVar("SomeCommand", bound=Command)
Rows = Annotated[
    tuple[Annotated[SomeCommand, WrapValidator(_on_its_own)], ...],
    Field(min_length=1, max_length=ROWS_MAX),
]
"""The rows of a batch's body. What can't be read as the command is an `Unfit` in its place."""

Shown = Callable[[Answered, Any], Awaitable[tuple[int, Any]]]
"""How a route shows what became of one row: the status and the document of an answer for it."""


async def answer_batch(
    request: Request, caller: Caller, rows: Sequence[Command | Unfit], shown: Shown
) -> Response:
    """A result for each row, in the order of the rows: `data`, or the `problem` that refused it.

    An `Idempotency-Key` counts for each row by its place, so a repeat doubles nothing, and one
    with its refused rows mended writes those.

    Raises:
        Refused: 400 for the key; 503 when the ledger can't take any of them now.
    """
    key = idempotency_key(request)
    results: list[_Result] = [_refused_row(row) for row in rows]
    fit = [(index, row) for index, row in enumerate(rows) if not isinstance(row, Unfit)]
    keyed = [(row, _key_of(key, index)) for index, row in fit]
    submissions = await submissions_of(request, caller, keyed, patient=True)
    waiting = [(index, each) for (index, _), each in zip(fit, submissions, strict=True)]
    fault: Refused | None = None
    for run in _runs(waiting):
        if fault is None:
            answers = await asyncio.gather(*(_answer(request, submission) for _, submission in run))
        else:  # what follows in the order of its profile must not go ahead
            answers = [fault] * len(run)
        for (index, _), answer in zip(run, answers, strict=True):
            results[index] = await _result(answer, rows[index], shown)
            if isinstance(answer, Refused) and answer.status == LATER:
                fault = answer
    if fault is not None and all(results[index].status == LATER for index, _ in waiting):
        raise fault
    return _response(results)


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of a row."""

    status: int
    content: dict[str, Any]
    position: int = 0
    replayed: bool = False

    @property
    def is_accepted(self) -> bool:
        return "data" in self.content


def _key_of(key: str | None, index: int) -> str | None:
    """A row's own key. It begins with a space, as no key of a client's can."""
    return None if key is None else f" {index} {key}"


def _runs(
    waiting: Sequence[tuple[int, Submission]],
) -> Iterator[Sequence[tuple[int, Submission]]]:
    """Rows that may wait in line together.

    The second of two under one name would let those behind it pass: it begins a new run.
    """
    run: list[tuple[int, Submission]] = []
    names: set[tuple[str, str]] = set()
    for index, submission in waiting:
        mine = names_of(submission)
        if len(run) == TOGETHER_MAX or not names.isdisjoint(mine):
            yield run
            run, names = [], set()
        run.append((index, submission))
        names.update(mine)
    if run:
        yield run


async def _answer(request: Request, submission: Submission) -> Answered | Refused:
    try:
        return await committed(services_of(request), submission, idempotency_key(request))
    except Refused as refused:
        return refused
    except Exception:  # of this row alone; those beside it may stand in the log already
        log.exception("batch_row_failed", command=type(submission.command).__name__)
        detail = "Something went wrong on our side. Repeat the batch with the same Idempotency-Key."
        return Refused(500, "internal_error", None, detail)


async def _result(answer: Answered | Refused, row: Any, shown: Shown) -> _Result:
    if isinstance(answer, Refused):
        return _problem(answer)
    try:
        status, document = await shown(answer, row)
    except Refused as refused:
        return _problem(refused)
    except Exception:
        log.exception("batch_row_not_shown", command=type(row).__name__)
        detail = "The row was accepted and can't be shown now. Repeat with the same key, or look."
        return _problem(Refused(LATER, "outcome_unknown", None, detail))
    return _Result(
        status, {"status": status, "data": document}, answer.position, replayed=answer.replayed
    )


def _refused_row(row: Command | Unfit) -> _Result:
    return _problem(Refused.invalid(row.errors if isinstance(row, Unfit) else {}))


def _problem(refused: Refused) -> _Result:
    replayed = "Idempotency-Replayed" in (refused.headers or {})
    content = {"status": refused.status, "problem": refused.content()}
    return _Result(refused.status, content, replayed=replayed)


def _response(results: Sequence[_Result]) -> Response:
    total, accepted = len(results), sum(result.is_accepted for result in results)
    content = {
        "message": f"{accepted} of {total} rows accepted.",
        "data": [{"index": index, **result.content} for index, result in enumerate(results)],
        "meta": {"total": total, "accepted": accepted, "refused": total - accepted},
    }
    headers = {}
    if position := max(result.position for result in results):
        headers["Ledger-Position"] = str(position)
    if all(result.replayed for result in results):
        headers["Idempotency-Replayed"] = "true"
    return Document(content, headers=headers)
