"""Commands about redemptions. One that announces its sale may be linked to it in one append."""

from ledger.account.folding import fold
from ledger.account.redemptions import make_redemption
from ledger.account.returns import return_redemption, reverse_redemption
from ledger.account.state import Account
from ledger.addressing import account_of, holder_of
from ledger.announcements import announcement, refuse_announcement
from ledger.commands.handler import Handler, Handlers, likely_profile, on_account, on_one
from ledger.decider import Circumstances, Decision, View
from ledger.drafting import Draft
from ledger.receipts.settling import follow
from ledger.rejections import UnknownRedemption
from ledger.transactions.decisions import link_announced, refuse_announced
from ledger.transactions.state import Transaction
from schemas.holds import RedemptionHeld
from schemas.redemptions import (
    MakeRedemption,
    RedemptionMade,
    ReturnRedemption,
    ReverseRedemption,
)


def _redeem(command: MakeRedemption, view: View, at: Circumstances) -> Decision:
    stream_id = account_of(command.profile_id, view)
    account: Account = view.state(stream_id)
    announced = command.transaction_external_id
    sale_stream = None
    if announced is not None:
        standing = announcement(announced, view, at.now)
        sale_stream = view.stream_named("transaction.external_id", announced)
        if sale_stream is None:
            refuse_announcement(announced, standing, stream_id)
    events = make_redemption(command, account, at)
    if sale_stream is None:
        return on_one(stream_id, events)
    made = next(event for event in events if isinstance(event, RedemptionMade | RedemptionHeld))
    if isinstance(made, RedemptionHeld):
        refuse_announced(view.state(sale_stream), fold(events, account))
        return on_one(stream_id, events)
    draft = Draft(view)
    draft.write(stream_id, *events)
    return linked_to(draft, sale_stream, made.redemption_id, stream_id, at)


def linked_to(
    draft: Draft, sale_stream: str, redemption_id: int, of_account: str, at: Circumstances
) -> Decision:
    """What was written so far, and the link of a redemption to the sale that is there already."""
    account: Account = draft.state(of_account)
    before: Transaction = draft.state(sale_stream)
    assert before.id is not None
    linked = link_announced(account.redemptions[redemption_id], before, account)
    draft.add(linked.in_both_streams(sale_stream, of_account))
    follow(draft, before, before.id, of_account, at)
    return draft.decision(of_account)


def _of_redemption(command: ReverseRedemption | ReturnRedemption, view: View) -> str:
    unknown = UnknownRedemption(f"There is no redemption {command.redemption_id}.")
    return holder_of("redemption", command.redemption_id, view, unknown)


HANDLERS: Handlers = {
    MakeRedemption: Handler(_redeem, likely_profile),
    ReverseRedemption: on_account(_of_redemption, lambda c, s, _, at: reverse_redemption(c, s, at)),
    ReturnRedemption: on_account(_of_redemption, lambda c, s, _, at: return_redemption(c, s, at)),
}
