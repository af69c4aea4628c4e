"""What becomes of a profile: known, changed, deleted, merged with another."""

from immutables import Map

from ledger.account.folding import identities
from ledger.account.folding.draft import Draft, Steps
from ledger.account.lots import taken_over
from ledger.account.sale_claims import claim_taken_over
from ledger.account.state import redemption_taken_over
from schemas.handover import AccountTakenOver, TakenOver
from schemas.profiles import ProfileMerged, ProfileMergedAway, ProfileRegistered
from schemas.registrations import ProfileChanged, ProfileDeleted, ProfileRestored


def _registered(draft: Draft, event: ProfileRegistered) -> None:
    draft.profile_id, draft.type, draft.tags = event.profile_id, event.type, event.tags


def _changed(draft: Draft, event: ProfileChanged) -> None:
    draft.type, draft.tags = event.type, event.tags


def _deleted(draft: Draft, _: ProfileDeleted) -> None:
    draft.closed = True


def _restored(draft: Draft, _: ProfileRestored) -> None:
    draft.closed = False


def _merged_away(draft: Draft, event: ProfileMergedAway) -> None:
    """Its holds are the other's to let lapse."""
    draft.merged_into, draft.holds = event.into, Map()


def _merged(draft: Draft, event: ProfileMerged) -> None:
    draft.absorbed = (*draft.absorbed, event.giver, *event.absorbed)


def _lots_taken_over(draft: Draft, event: TakenOver) -> None:
    for record in event.lots:
        draft.put_lot(taken_over(record, draft.lots.get(record.reward_id)))


def _account_taken_over(draft: Draft, event: AccountTakenOver) -> None:
    """What belonged to another account and is not value: that comes with the movements."""
    for redemption in map(redemption_taken_over, event.redemptions):
        draft.add_redemption(redemption)
        if redemption.hold is not None and redemption.hold.status == "held":
            draft.holds = draft.holds.set(redemption.id, redemption.hold.until)
    for external_id, made_for_it in event.announcements.items():
        draft.announce(external_id, made_for_it)
    for definition_id, count in event.issued_under.items():
        draft.count_issued(definition_id, count)
    claims = {each.claim_id: claim_taken_over(each) for each in event.sale_claims}
    draft.sale_claims = draft.sale_claims.update(claims)
    identities.taken_over(draft, event)
    draft.final_records = draft.final_records.with_all(event.final_records)
    draft.transactions = draft.transactions.with_all(event.transactions)


BROUGHT: Steps = {TakenOver: _lots_taken_over}
BESIDE: Steps = {
    ProfileRegistered: _registered,
    ProfileChanged: _changed,
    ProfileDeleted: _deleted,
    ProfileRestored: _restored,
    ProfileMergedAway: _merged_away,
    ProfileMerged: _merged,
    AccountTakenOver: _account_taken_over,
}
