"""Claims: a sale recorded without a profile becomes the one's who has its receipt, first come first
served, whether the claim or the sale is there first.
"""

from datetime import datetime

from ledger.account.sale_claims import SaleClaim, opened
from ledger.account.state import Account
from ledger.addressing import account_of
from ledger.decider import Circumstances
from ledger.drafting import Draft
from ledger.receipts.returns import SALES_LOOKED_AT_MAX
from ledger.receipts.state import Receipt, receipt_stream
from ledger.rejections import ReceiptClaimed, ReceiptContested, UnknownProfile
from ledger.transactions.changes import assigned
from ledger.transactions.sale_events import SaleEvents, announced_for, attribute
from ledger.transactions.state import Transaction, transaction_stream
from schemas.receipts import ClaimAwaitsSale, ClaimWaitsNoMore
from schemas.times import local_text, parse_instant
from schemas.transaction_claims import (
    ClaimTransaction,
    TransactionClaimChecked,
    TransactionClaimed,
    TransactionClaimOpened,
    TransactionClaimRejected,
)

CLAIMS_OPEN_MAX = 20
"""How many claims may wait for one receipt."""
_DATE_LENGTH = len("2026-01-31")


def claim_transaction(
    command: ClaimTransaction, draft: Draft, of_account: str, at: Circumstances
) -> None:
    """Attach the sale of a receipt, or wait for it. The same claim twice is one claim.

    Raises:
        ReceiptClaimed: the sale is somebody's.
        ReceiptContested: too many wait for it.
    """
    account: Account = draft.state(of_account)
    if not account.registered:
        raise UnknownProfile(f"There is no profile {command.profile_id!r}.")
    if (
        standing_claim(command, at.minor(command.transaction_total, "transaction_total"), account)
        is not None
    ):
        return
    claim = _opened(command, at)
    stream_id = receipt_stream(claim.receipt_ref)
    receipt: Receipt = draft.state(stream_id)
    sales: list[Transaction] = [
        draft.state(transaction_stream(each)) for each in receipt.sales[-SALES_LOOKED_AT_MAX:]
    ]
    fitting = [sale for sale in sales if is_claimed_by(sale, opened(claim))]
    free = [sale for sale in fitting if sale.profile_id is None]
    if fitting and not free:
        raise ReceiptClaimed("The sale of this receipt belongs to a profile already.")
    if not free and len(receipt.claims) >= CLAIMS_OPEN_MAX:
        raise ReceiptContested(f"{CLAIMS_OPEN_MAX} claims wait for this receipt; no more can.")
    draft.write_on_account(of_account, at, claim)
    if free:
        sale = max(free, key=lambda each: (each.transacted_at, each.id))
        _settle(draft, claim.claim_id, of_account, sale, at, attempts=1)
    else:
        waits = ClaimAwaitsSale(
            receipt_ref=claim.receipt_ref,
            claim_id=claim.claim_id,
            profile_id=command.profile_id,
        )
        draft.write(stream_id, waits)


def standing_claim(
    command: ClaimTransaction, total_minor: int, account: Account
) -> SaleClaim | None:
    """The claim that says the same and waits already."""
    told = (
        command.transaction_receipt_ref,
        total_minor,
        command.transaction_transacted_at,
        command.transaction_timezone,
        command.transaction_location_external_code,
    )
    claims = account.sale_claims.values()
    return next((each for each in claims if each.status == "open" and each.told == told), None)


def settle_claims(draft: Draft, receipt_ref: str, sale_id: int, at: Circumstances) -> None:
    """A sale has this number: whoever claimed it first has it, if it is nobody's."""
    stream_id = receipt_stream(receipt_ref)
    for claim_id, profile_id in draft.state(stream_id).claims:
        of_account = account_of(profile_id, draft)
        account: Account = draft.state(of_account)
        claim = account.sale_claims[claim_id]
        sale: Transaction = draft.state(transaction_stream(sale_id))
        if not is_claimed_by(sale, claim):
            checked = TransactionClaimChecked(
                claim_id=claim_id, checked_transaction_id=sale_id, attempts=claim.attempts + 1
            )
            draft.write_on_account(of_account, at, checked)
            continue
        if sale.profile_id is None or account_of(sale.profile_id, draft) == of_account:
            _settle(draft, claim_id, of_account, sale, at, attempts=claim.attempts + 1)
        else:
            rejected = TransactionClaimRejected(claim_id=claim_id, attempts=claim.attempts + 1)
            draft.write_on_account(of_account, at, rejected)
        draft.write(stream_id, ClaimWaitsNoMore(receipt_ref=receipt_ref, claim_id=claim_id))


def is_claimed_by(sale: Transaction, claim: SaleClaim) -> bool:
    """Whether a receipt is this sale's: its number, its total; its day and location where told."""
    assert sale.transacted_at is not None
    if sale.void or sale.total_minor != claim.total_minor:
        return False
    if claim.location is not None and str(sale.sale.get("location_id")) != claim.location:
        return False
    return claim.told_time is None or _same_day(claim, sale.transacted_at, sale.timezone)


def attach(draft: Draft, sale_id: int, profile_id: str, of_account: str, at: Circumstances) -> None:
    """A sale of nobody's becomes this profile's, with the redemptions that wait for it and with
    the returns of its goods that are nobody's.
    """
    of_sale = transaction_stream(sale_id)
    sale = assigned(SaleEvents(draft.state(of_sale), draft.state(of_account)), profile_id, at)
    found = announced_for(sale.transaction.external_id, sale.transaction.total_minor, sale.account)
    for redemption in found:
        sale = attribute(sale, redemption)
    draft.add(sale.in_both_streams(of_sale, of_account))
    attach_returns(draft, sale_id, profile_id, of_account, at)


def attach_returns(
    draft: Draft, sale_id: int, profile_id: str, of_account: str, at: Circumstances
) -> None:
    """Returns of a sale's goods that are nobody's are its profile's."""
    for return_id in sorted(draft.state(transaction_stream(sale_id)).returns):
        of_return = transaction_stream(return_id)
        returned: Transaction = draft.state(of_return)
        if returned.profile_id is None:
            joined = assigned(SaleEvents(returned, draft.state(of_account)), profile_id, at)
            draft.add(joined.in_both_streams(of_return, of_account))


def _settle(  # noqa: PLR0913 - who claims, what, and how often it was looked for
    draft: Draft,
    claim_id: int,
    of_account: str,
    sale: Transaction,
    at: Circumstances,
    *,
    attempts: int,
) -> None:
    assert sale.id is not None
    if sale.profile_id is None:
        account: Account = draft.state(of_account)
        attach(draft, sale.id, account.profile_id or "", of_account, at)
    claimed = TransactionClaimed(claim_id=claim_id, transaction_id=sale.id, attempts=attempts)
    draft.write_on_account(of_account, at, claimed)


def _opened(command: ClaimTransaction, at: Circumstances) -> TransactionClaimOpened:
    return TransactionClaimOpened(
        claim_id=next(at.ids),
        receipt_ref=command.transaction_receipt_ref,
        total_minor=at.minor(command.transaction_total, "transaction_total"),
        told_time=command.transaction_transacted_at,
        timezone=command.transaction_timezone,
        location_external_code=command.transaction_location_external_code,
    )


def _same_day(claim: SaleClaim, transacted_at: datetime, zone: str) -> bool:
    """People read the day off a receipt, in the zone of its till unless they say another."""
    assert claim.told_time is not None
    try:
        told = parse_instant(claim.told_time, claim.timezone or zone)
        days = {local_text(each, zone)[:_DATE_LENGTH] for each in (told, transacted_at)}
    except ValueError:
        return False  # outside the calendar of one of the zones
    return len(days) == 1
