"""Returns of goods: taken off their sale, whichever of the two is known first."""

from dataclasses import replace

from ledger.account.returns import return_redemption
from ledger.account.state import Account
from ledger.addressing import account_of
from ledger.decider import Circumstances
from ledger.drafting import Draft
from ledger.receipts.matching import Back, SameProfile, fits, lines_back, sale_of, share_due
from ledger.receipts.state import Receipt, receipt_stream
from ledger.rejections import ReturnExceedsSale
from ledger.transactions.sale_events import attachment
from ledger.transactions.state import Transaction, transaction_stream
from schemas.amounts import PRICE_DIGITS, from_minor
from schemas.receipts import ReturnAwaitsSale, ReturnWaitsNoMore
from schemas.redemptions import ReturnRedemption
from schemas.transaction_changes import AttachedTransactionChanged
from schemas.transaction_returns import (
    AttachedGoodsReturned,
    GoodsReturned,
    GoodsReturnVoided,
    ReturnedLine,
    ReturnMatched,
)

SALES_LOOKED_AT_MAX = 50
"""Of a number that more sales have, the latest ones: such a number is no receipt."""
WAITING_MAX = 20
"""How many returns wait under one number; more are kept, and match no sale any more."""


def seek_sale(draft: Draft, return_id: int, at: Circumstances) -> None:
    """Match a return that is new or has changed, or let it wait for its sale.

    Raises:
        ReturnExceedsSale: more came back than the sale still has.
    """
    returned: Transaction = draft.state(transaction_stream(return_id))
    receipt_ref: str = returned.sale["linked_receipt_ref"]
    stream_id = receipt_stream(receipt_ref)
    receipt: Receipt = draft.state(stream_id)
    sales = (draft.state(transaction_stream(each)) for each in receipt.sales[-SALES_LOOKED_AT_MAX:])
    sale = sale_of(returned, sales, _same_profile(draft))
    waits = return_id in receipt.returns
    if sale is not None:
        _match(draft, sale, returned, at, late=False)
        if waits:
            draft.write(
                stream_id, ReturnWaitsNoMore(receipt_ref=receipt_ref, transaction_id=return_id)
            )
    elif not waits and len(receipt.returns) < WAITING_MAX:
        draft.write(stream_id, ReturnAwaitsSale(receipt_ref=receipt_ref, transaction_id=return_id))


def match_waiting(draft: Draft, receipt_ref: str, sale_id: int, at: Circumstances) -> None:
    """A sale has this number: the returns that waited for it are taken off it.

    They have happened, so what came back beyond what was sold is noted and refuses nothing.
    """
    stream_id = receipt_stream(receipt_ref)
    for return_id in draft.state(stream_id).returns:
        sale: Transaction = draft.state(transaction_stream(sale_id))
        returned: Transaction = draft.state(transaction_stream(return_id))
        if fits(sale, returned, _same_profile(draft)):
            _match(draft, sale, returned, replace(at, limited=False), late=True)
            draft.write(
                stream_id, ReturnWaitsNoMore(receipt_ref=receipt_ref, transaction_id=return_id)
            )


def stop_waiting(draft: Draft, receipt_ref: str, return_id: int) -> None:
    """The return is void, or names another receipt."""
    stream_id = receipt_stream(receipt_ref)
    if return_id in draft.state(stream_id).returns:
        draft.write(stream_id, ReturnWaitsNoMore(receipt_ref=receipt_ref, transaction_id=return_id))


def void_return(draft: Draft, returned: Transaction, at: Circumstances) -> None:
    """A void return took nothing off its sale; what came back of a redemption stays back."""
    assert returned.id is not None
    assert returned.sale_id is not None
    of_sale = transaction_stream(returned.sale_id)
    draft.write(
        of_sale,
        GoodsReturnVoided(transaction_id=returned.sale_id, return_transaction_id=returned.id),
    )
    sale: Transaction = draft.state(of_sale)
    if sale.profile_id is not None:
        noted = AttachedTransactionChanged(
            transaction_id=returned.sale_id, total_minor=sale.total_minor
        )
        draft.write_on_account(account_of(sale.profile_id, draft), at, noted)


def _match(
    draft: Draft, sale: Transaction, returned: Transaction, at: Circumstances, *, late: bool
) -> None:
    assert sale.id is not None
    assert returned.id is not None
    found, excess = lines_back(sale, returned)
    if excess and not late:
        raise ReturnExceedsSale(
            f"Line {excess[0]} brings back more than transaction {sale.id} still has of it; "
            "lines are found by external_id, sku, product_variant_id or variant_external_id.",
            transaction_id=sale.id,
        )
    lines = _with_shares(draft, sale, returned, found)
    back = GoodsReturned(transaction_id=sale.id, return_transaction_id=returned.id, lines=lines)
    draft.write(transaction_stream(sale.id), back)
    joins = returned.profile_id is None and sale.profile_id is not None
    matched = ReturnMatched(
        transaction_id=returned.id,
        sale_transaction_id=sale.id,
        profile_id=_profile_now(draft, sale) if joins else None,
        excess=bool(excess),
    )
    draft.write(transaction_stream(returned.id), matched)
    if sale.profile_id is not None:
        _note_on_account(draft, back, account_of(sale.profile_id, draft), at)
    if joins:
        joined: Transaction = draft.state(transaction_stream(returned.id))
        draft.write(account_of(sale.profile_id or "", draft), attachment(joined))
    elif late and returned.profile_id is not None:
        changed = AttachedTransactionChanged(
            transaction_id=returned.id, total_minor=returned.total_minor
        )
        draft.write_on_account(account_of(returned.profile_id, draft), at, changed)


def _same_profile(draft: Draft) -> SameProfile:
    def same(one: str | None, other: str | None) -> bool:
        if one is None or other is None:
            return False
        return one == other or account_of(one, draft) == account_of(other, draft)

    return same


def _profile_now(draft: Draft, sale: Transaction) -> str | None:
    """Whose it is, or whom that one has become."""
    if sale.profile_id is None:
        return None
    account: Account = draft.state(account_of(sale.profile_id, draft))
    return account.profile_id


def _with_shares(
    draft: Draft, sale: Transaction, returned: Transaction, found: list[Back]
) -> tuple[ReturnedLine, ...]:
    """Each line with what comes back with it: no more than is still redeemed."""
    left = _outstanding_minor(draft, sale) if returned.sale.get("return_redemption") else 0
    given_back = dict(sale.given_back_minor.items())
    so_far = {back.line: sale.returned(back.line) for back in found}
    lines: list[ReturnedLine] = []
    for back in found:
        there = given_back.get(back.line, 0)
        amount = min(left, share_due(sale, back, so_far[back.line], there))
        so_far[back.line] += back.quantity
        given_back[back.line] = there + amount
        left -= amount
        lines.append(
            ReturnedLine(
                line=back.line,
                return_line=back.return_line,
                quantity=from_minor(back.quantity, digits=PRICE_DIGITS),
                given_back_minor=amount,
            )
        )
    return tuple(lines)


def _outstanding_minor(draft: Draft, sale: Transaction) -> int:
    if sale.profile_id is None:
        return 0
    account: Account = draft.state(account_of(sale.profile_id, draft))
    return sum(_outstanding(account, number) for number, _ in sale.redemptions)


def _note_on_account(draft: Draft, back: GoodsReturned, of_account: str, at: Circumstances) -> None:
    """The account learns of the goods, and gets back what its redemptions had paid for them: the
    last that was linked goes first, as within a redemption.
    """
    left = sum(line.given_back_minor for line in back.lines)
    draft.write_on_account(
        of_account,
        at,
        AttachedGoodsReturned(
            transaction_id=back.transaction_id,
            return_transaction_id=back.return_transaction_id,
            given_back_minor=left,
        ),
    )
    sale: Transaction = draft.state(transaction_stream(back.transaction_id))
    for number, _ in reversed(sale.redemptions):
        account: Account = draft.state(of_account)
        part = min(left, _outstanding(account, number))
        if part:
            asked = ReturnRedemption(redemption_id=number, amount=at.amount(part))
            draft.write(of_account, *return_redemption(asked, account, at))
            left -= part


def _outstanding(account: Account, redemption_id: int) -> int:
    return sum(amount for _, amount in account.redemptions[redemption_id].outstanding())
