"""Balances as the API shows them (article, steps 2 and 3)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from api.services import Services
from ledger.account.folding import fold
from ledger.account.rewards import facts_due
from ledger.account.state import Account
from projections.read_models.balances import Balance
from schemas.amounts import from_minor
from schemas.movements import Book

NOTHING = Decimal(0)


def document(balance: Balance, services: Services) -> dict[str, Any]:
    """What can be spent now. Points, credits and benefits are not kept by this version."""
    digits = services.settings.currency_digits
    available = from_minor(balance.available_minor, digits=digits)
    return {
        "reward_balance": available,
        "point_balance": NOTHING,
        "point_balance_dollars": NOTHING,
        "combined_balance_dollars": available,
        "pending_reward_balance": from_minor(balance.pending_minor, digits=digits),
        "held_reward_balance": from_minor(balance.held_minor, digits=digits),
        "currency": services.settings.currency,
    }


def of_account(account: Account, at: datetime) -> Balance:
    """The balance of an account at a moment, facts that are due counted."""
    if due := facts_due(account, at):
        account = fold(due, account)
    available = pending = held = 0
    for lot in account.open_lots.values():
        held += lot.amount(Book.HELD)
        if not lot.expired_by(at):
            available += lot.amount(Book.AVAILABLE)
            pending += lot.amount(Book.PENDING)
    return Balance(available, pending, held)
