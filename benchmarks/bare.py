"""The bare limit: the same body model and token check on a FastAPI route, without the ledger.

`none` answers from memory; `insert` writes one row a request, committed, as a plain service would.
"""

import asyncio
import os
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import asyncpg
import uvicorn
from fastapi import FastAPI, Request, Response

from api.access import allowed
from api.bodies import BodyLimit
from api.json_body import write_json
from api.paths import PathProfile
from api.problems import install
from api.route import LedgerRoute
from api.tokens import Caller
from schemas.redemptions import RedemptionTerms

ANSWER = {
    "id": 1,
    "total": 1,
    "items": [{"id": 1, "type": "reward", "value": 1, "count": 1}],
    "balances": {"reward_balance": 9, "point_balance": 0, "combined_balance_dollars": 9},
}


class OneToken:
    """Knows one token, from memory, as the ledger's tokens do after their first use."""

    async def caller(self, token: str) -> Caller | None:
        """Everybody who says the word."""
        return Caller("bench", "bench", frozenset("*")) if token == "bench" else None  # noqa: S105


class Services:
    """All that the token check looks at."""

    tokens = OneToken()


def create_app(kind: Literal["none", "insert"], database_url: str) -> FastAPI:
    """The application of one kind."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> Any:
        app.state.pool = None
        if kind == "insert":
            app.state.pool = await asyncpg.create_pool(database_url, min_size=4, max_size=16)
        yield

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.services = Services()
    app.router.route_class = LedgerRoute
    app.add_middleware(BodyLimit)
    install(app)

    @app.post("/api/v3/profiles/{profile_id}/redeem")
    async def redeem(
        request: Request,
        profile_id: PathProfile,
        body: RedemptionTerms,
        caller: Annotated[Caller, allowed("redeem-strategy")],
    ) -> Response:
        if kind == "insert":
            await request.app.state.pool.execute(
                "INSERT INTO bench_redemptions (profile_id, client, amount) VALUES ($1, $2, $3)",
                profile_id,
                caller.client,
                body.amount,
            )
        return Response(write_json({"data": ANSWER}), 201, media_type="application/json")

    return app


if __name__ == "__main__":
    which: Any = os.environ["BENCH_KIND"]
    config = uvicorn.Config(
        create_app(which, os.environ.get("BENCH_DATABASE_URL", "")),
        port=int(os.environ["BENCH_PORT"]),
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )
    asyncio.run(uvicorn.Server(config).serve())
