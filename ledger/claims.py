"""The names a decision takes, across all streams, for ever."""

from collections.abc import Iterator
from datetime import datetime

from ledger.announcements import ANNOUNCED, announcement
from ledger.decider import Decision, View
from ledger.event_store.port import Claim
from ledger.streams import account_stream
from schemas.commands import Command
from schemas.holds import CaptureRedemption, RedemptionHeld, ReleaseRedemption
from schemas.personal_data import PersonalDataErased
from schemas.profiles import ProfileMergedAway
from schemas.redemptions import (
    MakeRedemption,
    RedemptionMade,
    RedemptionReturned,
    RedemptionReversed,
    ReturnRedemption,
    ReverseRedemption,
)
from schemas.rewards import AdjustReward, ReassignReward, RevokeReward, RewardIssued
from schemas.transaction_changes import (
    AttachedTransactionChanged,
    TransactionChanged,
    UpsertTransaction,
)
from schemas.transactions import (
    LinkRedemption,
    RecordTransaction,
    TransactionAttached,
    TransactionRecorded,
)

MERGED = "merged"
"""The name a merged account's stream takes: it leads to the one whose it has become."""


def claims_of(
    decision: Decision, view: View, fingerprint: bytes | None, now: datetime
) -> tuple[Claim, ...]:
    """Every claim of a decision's events. `fingerprint` tells a repeat from another request."""
    claims = [Claim(kind, key, decision.stream_id) for kind, key in decision.takes]
    for stream_id, event in decision.written:
        match event:
            case RewardIssued():
                claims.append(Claim("reward", str(event.reward_id), stream_id))
                claims.extend(_named("reward", event.external_id, stream_id, fingerprint))
            case RedemptionMade() | RedemptionHeld():
                claims.append(Claim("redemption", str(event.redemption_id), stream_id))
                claims.extend(_named("redemption", event.external_id, stream_id, fingerprint))
                announced = event.transaction_external_id
                if not _is_there(announced, view):
                    claims.extend(_announced(announced, stream_id, view, now))
            case ProfileMergedAway():
                claims.append(Claim(MERGED, stream_id, account_stream(event.into)))
            case RedemptionReversed():
                claims.append(Claim("redemption", str(event.reversal_id), stream_id))
            case RedemptionReturned():
                claims.append(Claim("redemption", str(event.return_id), stream_id))
            case PersonalDataErased():
                claims.append(Claim("erasure", str(event.erasure_id), stream_id))
            case TransactionRecorded() | TransactionChanged():
                claims.extend(_named("transaction", event.external_id, stream_id, fingerprint))
                account = _account_of(event.transaction_id, decision) or stream_id
                claims.extend(_announced(event.external_id, account, view, now))
    return tuple(claims)


def likely_names(command: Command) -> Iterator[tuple[str, str]]:
    """The names a decision will look up, worth loading together before it."""
    match command:
        # What tills send most stands first: each arm costs a look at the command's class.
        case MakeRedemption():
            if command.transaction_external_id is not None:
                # And only then the sale: see `announcement`.
                yield ANNOUNCED, command.transaction_external_id
        case RevokeReward() | AdjustReward() | ReassignReward():
            yield "reward", str(command.reward_id)
        case ReverseRedemption() | ReturnRedemption() | CaptureRedemption() | ReleaseRedemption():
            yield "redemption", str(command.redemption_id)
        case LinkRedemption():
            yield from _linked(command)
        case UpsertTransaction(external_id=str(external_id)):
            yield "transaction.external_id", external_id
            yield ANNOUNCED, external_id
        case RecordTransaction():
            if command.redemption_id is not None:
                yield "redemption", str(command.redemption_id)
            if command.external_id is not None:
                yield ANNOUNCED, command.external_id


def _linked(command: LinkRedemption) -> Iterator[tuple[str, str]]:
    if command.transaction_external_id is not None:
        yield "transaction.external_id", command.transaction_external_id
    if command.redemption_external_id is not None:
        yield "redemption.external_id", command.redemption_external_id
    if command.redemption_id is not None:
        yield "redemption", str(command.redemption_id)


def _named(
    kind: str, external_id: str | None, stream_id: str, fingerprint: bytes | None
) -> Iterator[Claim]:
    if external_id is not None:
        yield Claim(f"{kind}.external_id", external_id, stream_id, fingerprint)


def _announced(
    external_id: str | None, stream_id: str, view: View, now: datetime
) -> Iterator[Claim]:
    """The name a sale and whoever announces it both take, where nobody waits under it yet."""
    if external_id is None:
        return
    standing = announcement(external_id, view, now)
    if standing.waiting is None:
        yield Claim(standing.kind, external_id, stream_id)


def _account_of(transaction_id: int, decision: Decision) -> str | None:
    """The account a sale is noted on; None for a sale of nobody's."""
    noted = (
        stream
        for stream, event in decision.written
        if isinstance(event, TransactionAttached | AttachedTransactionChanged)
        and event.transaction_id == transaction_id
    )
    return next(noted, None)


def _is_there(external_id: str | None, view: View) -> bool:
    """A sale that has come needs nobody to wait for it."""
    named = external_id is not None
    return named and view.stream_named("transaction.external_id", str(external_id)) is not None
