"""The HTTP API: one FastAPI application over the services it is given."""

from pathlib import Path

import fastapi_offline
import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import error_catalogue, health
from api.bodies import BodyLimit
from api.paths import BASE
from api.problems import Refused, install
from api.routes import (
    access_tokens,
    access_users,
    estimates,
    explanations,
    holds,
    identities,
    import_rows,
    imports,
    ledgers,
    operations,
    personal_data,
    profiles,
    programme,
    redemption_counts,
    redemptions,
    registry,
    reward_changes,
    reward_definitions,
    reward_expiry_order,
    rewards,
    search,
    statistics,
    transaction_claims,
    transactions,
)
from api.services import Services
from ledger.event_store.faults import FAULTS, meaning
from ledger.event_store.port import EventStoreBroken, EventStoreUnavailable

_ASSETS = Path(fastapi_offline.__file__).parent / "static"
_DESCRIPTION = """\
An event-sourced ledger for loyalty rewards. Define a reward, issue it, read the balance, redeem
nearest expiry first, and link the redemption to the sale.

Amounts are exact decimals: `10`, `9.99`, or quoted. Every write takes `Idempotency-Key` and
`?dry_run=true`. Errors are `application/problem+json` with a stable `code`.
"""

log = structlog.get_logger("api")


def create_app(services: Services, *, version: str = "0.1.0") -> FastAPI:
    """The application. Its interactive pages work without any other host."""
    app = FastAPI(
        title="Rewards ledger",
        version=version,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{BASE}/openapi.json",
        redirect_slashes=False,
    )
    app.state.services = services
    app.add_middleware(BodyLimit)
    install(app)
    for fault in (EventStoreUnavailable, EventStoreBroken, *FAULTS):
        app.add_exception_handler(fault, _store_fault)
    # The routes themselves and no routers within routers: each level matches all over again.
    for router in routers():
        app.router.routes.extend(router.routes)
    app.include_router(health.routes(services.health))
    _add_pages(app)
    return app


def routers() -> tuple[APIRouter, ...]:
    """All routes under `BASE`, in the order they are looked at.

    What tills call most comes first; paths with a word of their own before those
    with an id: `/rewards/definitions` before `/rewards/{reward_id}`.
    """
    parts = (
        redemptions,
        holds,
        redemption_counts,
        profiles,
        explanations,
        ledgers,
        identities,
        registry,
        reward_definitions,
        reward_expiry_order,
        rewards,
        reward_changes,
        transaction_claims,
        estimates,
        transactions,
        programme,
        statistics,
        personal_data,
        imports,
        import_rows,
        access_tokens,
        access_users,
        operations,
        search,
    )
    return tuple(part.router for part in parts)


def _add_pages(app: FastAPI) -> None:
    app.mount("/docs/assets", StaticFiles(directory=_ASSETS), name="docs-assets")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url=app.openapi_url or "",
            title=app.title,
            swagger_js_url="/docs/assets/swagger-ui-bundle.js",
            swagger_css_url="/docs/assets/swagger-ui.css",
            swagger_favicon_url="/docs/assets/favicon.png",
            swagger_ui_parameters={"persistAuthorization": True, "tryItOutEnabled": True},
        )

    @app.get("/docs/errors", include_in_schema=False)
    async def errors() -> Response:
        return HTMLResponse(error_catalogue.html())

    @app.get("/", include_in_schema=False)
    async def start() -> Response:
        return RedirectResponse("/docs")

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _store_fault(_request: Request, error: Exception) -> Response:
    """A read met the database's fault. Nothing was to be written, so nothing is lost."""
    found = error if isinstance(error, EventStoreUnavailable | EventStoreBroken) else meaning(error)
    if isinstance(found, ValueError):
        raise error
    log.error("read_failed", error=str(found))
    detail = "The database can't be reached; try again."
    if isinstance(found, EventStoreBroken):
        detail = "The database is out of order; the service's log says what to mend."
    return Refused(503, "unavailable", None, detail, headers={"Retry-After": "1"}).response()
