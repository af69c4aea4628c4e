"""Is the process alive, and can it do its work: `/healthz` and `/readyz`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response

from api.json_body import write_json


@dataclass(frozen=True, slots=True)
class Component:
    """One dependency. Without a `required` one no command can be accepted."""

    name: str
    ok: bool
    detail: str
    required: bool


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What holds now. Lag is how far the read models are behind the log."""

    components: tuple[Component, ...]
    lag_events: int | None = None
    lag_seconds: float | None = None

    @property
    def accepting(self) -> bool:
        """Whether commands can be accepted."""
        return all(component.ok for component in self.components if component.required)

    @property
    def status(self) -> str:
        """ok, degraded (commands are accepted, something else is wrong), or unavailable."""
        if not self.accepting:
            return "unavailable"
        return "ok" if all(component.ok for component in self.components) else "degraded"


def routes(report: Callable[[], Awaitable[HealthReport]]) -> APIRouter:
    """Neither asks for a token: load balancers have none."""
    router = APIRouter(tags=["Health"])

    @router.get("/healthz", summary="Is the process alive?")
    async def healthz() -> Response:
        return Response(write_json({"status": "ok"}), media_type="application/json")

    @router.get("/readyz", summary="Can commands be accepted, and how far behind are reads?")
    async def readyz() -> Response:
        """200 while commands can be accepted; `degraded` names what is wrong besides."""
        now = await report()
        status = 200 if now.accepting else 503
        return Response(write_json(_document(now)), status, media_type="application/json")

    return router


def _document(report: HealthReport) -> dict[str, Any]:
    lag_seconds = report.lag_seconds
    return {
        "status": report.status,
        "causes": [f"{c.name}: {c.detail}" for c in report.components if not c.ok],
        "components": {
            c.name: {"ok": c.ok, "detail": c.detail, "required": c.required}
            for c in report.components
        },
        "lag": {
            "events": report.lag_events,
            "milliseconds": None if lag_seconds is None else round(lag_seconds * 1000),
        },
    }
