"""Which profiles have something due: the expiry worker's question to the read model."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from ledger.account.lots import WHOLE_SECOND
from ledger.event_store.faults import FAULTS, meaning
from projections.read_models.reward_expiry_order import TABLE

# Activations, expiries and deadlines of holds that time has brought. A reward lives to the end of
# its last second, a hold ends with its deadline.
_DUE = f"""
SELECT profile_id FROM {TABLE.fullname}
WHERE profile_id > $3
  AND ((pending_minor > 0 AND issued_at <= $1) OR (available_minor > 0 AND expires_at <= $2)
    OR held_until <= $1)
GROUP BY profile_id ORDER BY profile_id LIMIT $4"""  # noqa: S608


class DueInReadModel:
    """The answer of `reward_expiry_order`. It may lag; the decision looks at the account again."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def __call__(self, now: datetime, *, after: str, limit: int) -> Sequence[str]:
        """See `consumers.expiry.DueProfiles`."""
        try:
            rows = await self._pool.fetch(_DUE, now, now - WHOLE_SECOND, after, limit)
        except FAULTS as error:
            raise meaning(error) from error
        return [row["profile_id"] for row in rows]
