"""How the database goes about a statement."""

from typing import Any

from http_api.ledger_client import Api


async def plan(api: Api, statement: str, *arguments: Any) -> str:
    """How the database would go about it if it could help reading whole tables."""
    async with api.services.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        rows = await connection.fetch(f"EXPLAIN {statement}", *arguments)
    return "\n".join(row[0] for row in rows)
