"""What becomes of rewards, beside the movements of their value."""

from ledger.account.folding.draft import Draft, Steps
from ledger.account.lots import Lot, terms_of
from ledger.records import replace
from schemas.rewards import RewardAdjusted, RewardExtended, RewardIssued, RewardRevoked, RewardSent


def _issued(draft: Draft, event: RewardIssued) -> None:
    lot = Lot(id=event.reward_id, terms=terms_of(event))
    draft.lots = draft.lots.set(lot.id, lot)
    if event.restored_from is None:
        draft.count_issued(event.definition_id, 1)


def _adjusted(draft: Draft, event: RewardAdjusted) -> None:
    lot = draft.lots[event.reward_id]
    terms = replace(
        lot.terms,
        expires_at=event.expires_at,
        value_initial_minor=event.value_initial_minor,
    )
    draft.put_lot(replace(lot, terms=terms, adjustments=lot.adjustments + 1))


def _extended(draft: Draft, event: RewardExtended) -> None:
    lot = draft.lots[event.reward_id]
    terms = replace(lot.terms, expires_at=event.expires_at)
    draft.put_lot(replace(lot, terms=terms, extended_at=event.extended_at))


def _revoked(draft: Draft, event: RewardRevoked) -> None:
    draft.put_lot(replace(draft.lots[event.reward_id], revoked=True))


def _sent(draft: Draft, event: RewardSent) -> None:
    for reward_id in event.rewards:
        draft.put_lot(replace(draft.lots[reward_id], moved_to=event.into))


BROUGHT: Steps = {RewardIssued: _issued}
BESIDE: Steps = {
    RewardAdjusted: _adjusted,
    RewardExtended: _extended,
    RewardRevoked: _revoked,
    RewardSent: _sent,
}
