"""Commands about holds. A capture links the redemption to the sale it announced, if it is there."""

from ledger.account.holds import capture_redemption, release_redemption
from ledger.account.state import Account
from ledger.addressing import holder_of
from ledger.commands.handler import Handler, Handlers, on_account, on_one
from ledger.commands.redemptions import linked_to
from ledger.decider import Circumstances, Decision, View
from ledger.drafting import Draft
from ledger.rejections import UnknownRedemption
from schemas.holds import CaptureRedemption, ReleaseRedemption


def _capture(command: CaptureRedemption, view: View, at: Circumstances) -> Decision:
    stream_id = _of_redemption(command, view)
    account: Account = view.state(stream_id)
    events = capture_redemption(command, account, at)
    announced = account.redemptions[command.redemption_id].announced
    # A sale that comes meanwhile is this account's, since a hold waits for it: they can't miss
    # each other.
    sale_stream = None
    if announced is not None:
        sale_stream = view.stream_named("transaction.external_id", announced)
    if sale_stream is None:
        return on_one(stream_id, events)
    draft = Draft(view)
    draft.write(stream_id, *events)
    return linked_to(draft, sale_stream, command.redemption_id, stream_id, at)


def _of_redemption(command: CaptureRedemption | ReleaseRedemption, view: View) -> str:
    unknown = UnknownRedemption(f"There is no redemption {command.redemption_id}.")
    return holder_of("redemption", command.redemption_id, view, unknown)


HANDLERS: Handlers = {
    CaptureRedemption: Handler(_capture),
    ReleaseRedemption: on_account(_of_redemption, lambda c, s, _, at: release_redemption(c, s, at)),
}
