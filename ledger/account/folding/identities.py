"""What becomes of a profile's identities: attached, detached, taken over with a merged account."""

from ledger.account.folding.draft import Draft, Steps
from ledger.account.state import Identity
from ledger.records import replace
from schemas.handover import AccountTakenOver
from schemas.identities import IdentityAttached, IdentityDetached


def _attached(draft: Draft, event: IdentityAttached) -> None:
    identities = draft.identities
    for number in event.demoted:
        identities = identities.set(number, replace(identities[number], is_primary=False))
    attached = Identity(event.handle, event.is_primary, event.personal)
    draft.identities = identities.set(event.identity_id, attached)


def _detached(draft: Draft, event: IdentityDetached) -> None:
    draft.identities = draft.identities.delete(event.identity_id)


def taken_over(draft: Draft, event: AccountTakenOver) -> None:
    """Those of another account, as it told them."""
    for each in event.identities:
        identity = Identity(each.handle, each.is_primary, each.sealed)
        draft.identities = draft.identities.set(each.identity_id, identity)


BESIDE: Steps = {IdentityAttached: _attached, IdentityDetached: _detached}
