"""Which decision answers a command, on which streams: the one table of the write side.

A feature has its own module and table here; the committer knows none of them.
"""

from ledger.commands import (
    holds,
    identities,
    personal_data,
    profiles,
    programme,
    redemptions,
    registrations,
    reward_definitions,
    rewards,
    transactions,
)
from ledger.commands.handler import Handlers, for_whom_it_is_now

_BY_FEATURE: Handlers = {
    **programme.HANDLERS,
    **profiles.HANDLERS,
    **identities.HANDLERS,
    **registrations.HANDLERS,
    **reward_definitions.HANDLERS,
    **rewards.HANDLERS,
    **redemptions.HANDLERS,
    **holds.HANDLERS,
    **transactions.HANDLERS,
    **personal_data.HANDLERS,
}

HANDLERS: Handlers = {
    command: for_whom_it_is_now(handler) for command, handler in _BY_FEATURE.items()
}
