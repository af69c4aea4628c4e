"""Commands about identities: the name of each is taken with it, and released with it."""

from typing import Final

from ledger.account.identities import attach_identity, detach_identity
from ledger.addressing import holder_now
from ledger.commands.handler import Handler, Handlers, likely_profile, of_profile
from ledger.decider import Circumstances, Decision, View
from ledger.event_store.port import RELEASABLE
from ledger.rejections import IdentityTaken
from schemas.identities import AttachIdentity, DetachIdentity

IDENTITY: Final = RELEASABLE
"""The kind of name an identity is, unique over all profiles."""


def _attach(command: AttachIdentity, view: View, at: Circumstances) -> Decision:
    stream_id = of_profile(command, view)
    assert at.identity is not None
    taken = view.stream_named(IDENTITY, at.identity)
    if taken is not None:
        holder_now(taken, view)  # whoever releases it writes there, and this is decided again
        raise IdentityTaken("This identity belongs to a profile already.")
    events = attach_identity(command, view.state(stream_id), at)
    written = tuple((stream_id, event) for event in events)
    return Decision(stream_id, written, takes=((IDENTITY, at.identity),))


def _detach(command: DetachIdentity, view: View, at: Circumstances) -> Decision:
    stream_id = of_profile(command, view)
    events = detach_identity(command, view.state(stream_id), at)
    name = at.identities[command.identity_id]
    mine = False
    if name is not None:
        held_by = view.stream_named(IDENTITY, name)
        mine = held_by is not None and holder_now(held_by, view) == stream_id
    released = ((IDENTITY, name),) if mine and name is not None else ()
    return Decision(stream_id, tuple((stream_id, event) for event in events), releases=released)


HANDLERS: Handlers = {
    AttachIdentity: Handler(_attach, likely_profile),
    DetachIdentity: Handler(_detach, likely_profile),
}
