"""The names a decision takes, across all streams, for ever."""

from collections.abc import Iterator

from ledger.commands import Decision, View
from ledger.event_store.port import Claim
from schemas.redemptions import RedemptionMade, RedemptionReturned, RedemptionReversed
from schemas.rewards import RewardIssued
from schemas.transactions import TransactionLinked, TransactionRecorded

ANNOUNCED = "transaction.announced"


def claims_of(decision: Decision, view: View, fingerprint: bytes | None) -> tuple[Claim, ...]:
    """Every claim of a decision's events. `fingerprint` tells a repeat from another request."""
    claims: list[Claim] = []
    for stream_id, event in decision.written:
        match event:
            case RewardIssued():
                claims.append(Claim("reward", str(event.reward_id), stream_id))
                claims.extend(_named("reward", event.external_id, stream_id, fingerprint))
            case RedemptionMade():
                claims.append(Claim("redemption", str(event.redemption_id), stream_id))
                claims.extend(_named("redemption", event.external_id, stream_id, fingerprint))
                if not _is_linked(event, decision):
                    claims.extend(_announced(event.transaction_external_id, stream_id))
            case RedemptionReversed():
                claims.append(Claim("redemption", str(event.reversal_id), stream_id))
            case RedemptionReturned():
                claims.append(Claim("redemption", str(event.return_id), stream_id))
            case TransactionRecorded():
                claims.extend(_named("transaction", event.external_id, stream_id, fingerprint))
                if event.profile_id is None:
                    claims.extend(_nobodys_sale(event.external_id, stream_id, view))
    return tuple(claims)


def _named(
    kind: str, external_id: str | None, stream_id: str, fingerprint: bytes | None
) -> Iterator[Claim]:
    if external_id is not None:
        yield Claim(f"{kind}.external_id", external_id, stream_id, fingerprint)


def _announced(external_id: str | None, stream_id: str) -> Iterator[Claim]:
    if external_id is not None:
        yield Claim(ANNOUNCED, external_id, stream_id)


def _nobodys_sale(external_id: str | None, stream_id: str, view: View) -> Iterator[Claim]:
    """A sale without a profile and a redemption announcing it may be decided at the same moment,
    each not seeing the other. Both take this one name, so that one of them decides again.
    (A profile's sale writes to the account, where the stream's version does the same.)"""
    if external_id is not None and view.stream_named(ANNOUNCED, external_id) is None:
        yield Claim(ANNOUNCED, external_id, stream_id)


def _is_linked(made: RedemptionMade, decision: Decision) -> bool:
    return any(
        isinstance(event, TransactionLinked) and event.redemption_id == made.redemption_id
        for event in decision.events
    )
