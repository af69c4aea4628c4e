"""The limits of staff: how much one command may issue, return or adjust."""

from ledger.decider import Circumstances
from ledger.rejections import LimitExceeded


def within_limit(amount_minor: int, limit_minor: int | None, at: Circumstances) -> None:
    """Let an amount pass that the programme's limit allows, or that no limit holds for.

    `limit_minor` is one of the settings: `issue_max_minor`, `return_max_minor`,
    `adjust_max_minor`. An adjustment counts by its size, up or down.

    Raises:
        LimitExceeded: whoever sent the command may not move that much at once.
    """
    if at.limited and limit_minor is not None and abs(amount_minor) > limit_minor:
        raise LimitExceeded(
            f"You may move at most {at.amount(limit_minor)} at once; this is "
            f"{at.amount(abs(amount_minor))}.",
            limit=at.amount(limit_minor),
        )
