"""What becomes of the sales noted on an account, and of claims on sales of nobody's."""

from ledger.account.folding.draft import Draft, Steps
from ledger.account.sale_claims import OfSaleClaim, evolve_sale_claims
from schemas.transaction_changes import TransactionUnattached
from schemas.transaction_claims import (
    TransactionClaimChecked,
    TransactionClaimed,
    TransactionClaimOpened,
    TransactionClaimRejected,
)
from schemas.transactions import AttachedTransactionVoided, TransactionAttached


def _attached(draft: Draft, event: TransactionAttached) -> None:
    draft.transactions = draft.transactions.set(event.transaction_id, True)


def _let_go(draft: Draft, event: AttachedTransactionVoided | TransactionUnattached) -> None:
    draft.transactions = draft.transactions.set(event.transaction_id, False)


def _claim(draft: Draft, event: OfSaleClaim) -> None:
    draft.sale_claims = evolve_sale_claims(draft.sale_claims, event)


BESIDE: Steps = {
    TransactionAttached: _attached,
    AttachedTransactionVoided: _let_go,
    TransactionUnattached: _let_go,
    TransactionClaimOpened: _claim,
    TransactionClaimChecked: _claim,
    TransactionClaimed: _claim,
    TransactionClaimRejected: _claim,
}
