"""The read models, one module each: its table, its keys, its fold."""

from projections.projection import Projection
from projections.read_models import (
    balances,
    identities,
    journal,
    profiles,
    programme_settings,
    redemptions,
    reward_definition_versions,
    reward_definitions,
    reward_expiry_order,
    rewards,
    transaction_claims,
    transactions,
)

ALL: tuple[Projection, ...] = (
    balances.PROJECTION,
    rewards.PROJECTION,
    reward_expiry_order.PROJECTION,
    redemptions.PROJECTION,
    transactions.PROJECTION,
    transaction_claims.PROJECTION,
    journal.PROJECTION,
    profiles.PROJECTION,
    identities.PROJECTION,
    reward_definitions.PROJECTION,
    reward_definition_versions.PROJECTION,
    programme_settings.PROJECTION,
)


def projection_named(name: str) -> Projection:
    """The projection with this name, in the version this software reads.

    Raises:
        LookupError: there is none.
    """
    for projection in ALL:
        if projection.name == name:
            return projection
    raise LookupError(f"there is no projection {name!r}")
