"""From a request to the committer and back: one way for all commands."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from fastapi import Request, Response
from pydantic import ValidationError

from api.documents import balances
from api.parameters import DRY_RUN, IDEMPOTENCY_KEY, flag
from api.personal import Document, keys_at_hand
from api.problems import Refused
from api.services import Services, services_of
from api.tokens import Caller
from ledger.account.state import Account
from ledger.event_store.port import EventStoreBroken
from ledger.fingerprints import fingerprint
from ledger.personal.erasing import carry_out
from ledger.personal.stripping import stripped
from ledger.rejections import Rejection
from ledger.repeats import RecordedRefusal
from ledger.submission import (
    Accepted,
    Answer,
    OutcomeUnknown,
    Overloaded,
    Submission,
    Unavailable,
)
from schemas.amounts import from_minor
from schemas.commands import Command
from schemas.events import Event
from schemas.immutable import immutable

KEY_FORM = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")

SomeCommand = TypeVar("SomeCommand", bound=Command)


@immutable
class Answered:
    """An accepted command, with what its route needs to write the answer."""

    answer: Answer
    services: Services

    @property
    def dry_run(self) -> bool:
        """Nothing was written; the answer has no ids."""
        return isinstance(self.answer, Accepted) and self.answer.dry_run

    @property
    def events(self) -> tuple[Event, ...]:
        """What was written, or would be; nothing when what was asked for is there already."""
        return self.answer.events if isinstance(self.answer, Accepted) else ()

    @property
    def stream_id(self) -> str:
        """The stream the answer is about."""
        return self.answer.stream_id

    @property
    def written(self) -> tuple[tuple[str, Event], ...]:
        """The events, each with its stream."""
        return self.answer.written if isinstance(self.answer, Accepted) else ()

    @property
    def at(self) -> datetime:
        """When it was decided."""
        return self.answer.at

    @property
    def position(self) -> int:
        """Where the log stood after it; 0 for a dry run."""
        return self.answer.position

    @property
    def replayed(self) -> bool:
        """Whether this is an earlier answer again."""
        return self.answer.replayed

    def response(
        self, document: Any, *, created: bool = False, etag: str | None = None
    ) -> Response:
        """The document as the answer. A dry run has created nothing."""
        if self.dry_run:
            return answer_with(document, meta=self._rehearsed())
        version = {} if etag is None else {"ETag": etag}
        status = 201 if created else 200
        return answer_with(document, status, self.headers() | version)

    def _rehearsed(self) -> dict[str, Any]:
        """What a dry run says beside its document: the profile's balances as they would be."""
        meta: dict[str, Any] = {"dry_run": True}
        if isinstance(self.answer, Accepted) and isinstance(self.answer.state, Account):
            balance = balances.of_account(self.answer.state, self.at)
            meta["balances"] = balances.document(balance, self.services)
        return meta

    def headers(self) -> dict[str, str]:
        """Where the log stood, for a read that must not be older; and whether it is a repeat."""
        headers = {}
        if self.position:
            headers["Ledger-Position"] = str(self.position)
        if self.replayed:
            headers["Idempotency-Replayed"] = "true"
        return headers


def answer_with(
    document: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Response:
    """One object under `data`, and what there is to say about it under `meta`."""
    content = {"data": document} if meta is None else {"data": document, "meta": meta}
    return Document(content, status, headers)


def addressed(command: type[SomeCommand], body: Command, **path: Any) -> SomeCommand:
    """The command a checked body becomes with what its path says; the rest are its defaults."""
    built = command.__new__(command)
    # As a copy is made: what was checked once isn't gone through again, field by field.
    built.__setstate__(
        {
            "__dict__": {**_defaults(command), **body.__dict__, **path},
            "__pydantic_fields_set__": body.model_fields_set | path.keys(),
            "__pydantic_extra__": None,
            "__pydantic_private__": None,
        }
    )
    return built


@cache
def _defaults(command: type[Command]) -> Mapping[str, Any]:
    """All fields in their order, also those that are always given."""
    return {name: field.get_default() for name, field in command.model_fields.items()}


async def submit(request: Request, caller: Caller, command: Command) -> Answered:
    """Submit a command and wait for its commit.

    Raises:
        Refused: the ledger said no, the request is malformed, or the ledger can't answer now.
    """
    key = idempotency_key(request)
    submission = await submission_of(request, caller, command, key)
    return await committed(services_of(request), submission, key)


async def submission_of(
    request: Request,
    caller: Caller,
    command: Command,
    key: str | None,
    *,
    patient: bool = False,
) -> Submission:
    """A command of a request as the committer takes it."""
    (submission,) = await submissions_of(request, caller, [(command, key)], patient=patient)
    return submission


async def submissions_of(
    request: Request,
    caller: Caller,
    commands: Sequence[tuple[Command, str | None]],
    *,
    patient: bool = False,
) -> list[Submission]:
    """Commands with the key of each. What is personal in them goes no further than here in clear.

    What tells a repeat is the command as it came: sealed, no two are alike.
    """
    services, dry_run = services_of(request), flag(request, DRY_RUN.name)
    without = await stripped(
        [command for command, _ in commands], services.vault, services.store, dry_run=dry_run
    )
    keys_at_hand(request).update(each.key for each in without if each.key is not None)
    return [
        Submission(
            command=each.command,
            client=caller.client,
            actor=caller.name,
            key=None if dry_run else key,
            fingerprint=_fingerprint(command, key, services),
            dry_run=dry_run,
            patient=patient,
            personal=each.personal,
            erasable=each.erasable,
            identity=each.identity,
            identities=each.identities,
            limited=not caller.may("exceed-limits"),
        )
        for (command, key), each in zip(commands, without, strict=True)
    ]


async def committed(services: Services, submission: Submission, key: str | None) -> Answered:
    """Wait for the commit of a submission, which takes its place in the line at once.

    `key` is the request's own: where no answer comes, the refusal says under what to repeat it.

    Raises:
        Refused: the ledger said no, or can't answer now.
    """
    try:
        answer = await services.committer.submit(submission)
    except Rejection as rejection:
        raise refused(rejection) from rejection
    except Overloaded:
        raise _later("overloaded", "Too many commands are waiting. Nothing was accepted.") from None
    except Unavailable:
        raise _later(
            "unavailable", "The event store can't be reached. Nothing was accepted."
        ) from None
    except EventStoreBroken:
        raise _later(
            "unavailable", "The event store is out of order. Nothing was accepted; see its log."
        ) from None
    except OutcomeUnknown:
        raise _later(
            "outcome_unknown",
            "The command may have been accepted. Repeat it with the same Idempotency-Key to learn "
            "its outcome; without a key, look before you repeat it.",
            **({} if key is None else {"idempotency_key": key}),
        ) from None
    except ValidationError:
        raise  # a decision of ours built an event that isn't one
    except ValueError as error:
        raise Refused(
            422,
            "command_too_large",
            None,
            "Send less: the ledger keeps at most 512 KiB for one event.",
        ) from error
    if isinstance(answer, Accepted) and answer.settings and not answer.dry_run:
        services.programme.learn(answer.settings)
    await carry_out(answer, services.vault.keys)
    return Answered(answer, services)


def idempotency_key(request: Request) -> str | None:
    """The key a request carries.

    Raises:
        Refused: 400, it is none, or there are two.
    """
    keys = request.headers.getlist(IDEMPOTENCY_KEY.name)
    if not keys:
        return None
    if len(keys) > 1 or KEY_FORM.fullmatch(keys[0]) is None:
        raise Refused(
            400,
            "invalid_idempotency_key",
            None,
            "Send one Idempotency-Key of 1 to 255 printable ASCII characters.",
        )
    return keys[0]


def _fingerprint(command: Command, key: str | None, services: Services) -> bytes:
    """Only a request that can be repeated needs one."""
    if key is None and getattr(command, "external_id", None) is None:
        return b""
    return fingerprint(command, services.vault.fingerprint_key)


def refused(rejection: Rejection) -> Refused:
    """A refusal as HTTP says it."""
    errors = {} if rejection.field is None else {rejection.field: [rejection.detail]}
    replayed = {"Idempotency-Replayed": "true"} if isinstance(rejection, RecordedRefusal) else {}
    return Refused(
        rejection.status,
        rejection.code,
        None,
        rejection.detail,
        errors,
        facts=rejection.facts,
        headers=replayed,
    )


def amount(minor: int, services: Services) -> Decimal:
    """Minor units as the amount an answer shows."""
    return from_minor(minor, digits=services.settings.currency_digits)


def _later(code: str, detail: str, **facts: str) -> Refused:
    return Refused(503, code, None, detail, headers={"Retry-After": "1"}, facts=facts)
