"""Which decision answers a command, on which streams: the one table of the write side.

A feature has its own module and table here; the committer knows none of them.
"""

from ledger.commands import (
    holds,
    personal_data,
    programme,
    redemptions,
    reward_definitions,
    rewards,
    transactions,
)
from ledger.commands.handler import Handlers

HANDLERS: Handlers = {
    **programme.HANDLERS,
    **reward_definitions.HANDLERS,
    **rewards.HANDLERS,
    **redemptions.HANDLERS,
    **holds.HANDLERS,
    **transactions.HANDLERS,
    **personal_data.HANDLERS,
}
