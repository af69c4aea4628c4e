"""Live streams end with their session and with the process, and nobody takes all of them."""

import asyncio

from http_api.ledger_client import Api
from web_console.client import COOKIE, Person, a_profile

from console.app import create_console
from console.live import STREAMS_OF_ONE_MAX
from console.services import ConsoleServices


async def streamed(admin: Person, services: ConsoleServices, path: str) -> list[bytes]:
    """What a live page hears until its stream ends."""
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": f"/console{path}", "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), (b"cookie", f"{COOKIE}={admin.secret}".encode())],
        "client": ("127.0.0.1", 1), "server": ("localhost", 80), "asgi": {"version": "3.0"},
    }  # fmt: skip
    said: list[bytes] = []

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    async def send(message: dict[str, object]) -> None:
        body = message.get("body")
        if isinstance(body, bytes) and body:
            said.append(body)

    await create_console(services)(scope, receive, send)  # type: ignore[arg-type]
    return said


async def until_live(services: ConsoleServices, count: int) -> None:
    while services.live.total() < count:
        await asyncio.sleep(0.01)


async def test_a_stream_ends_with_its_session(
    admin: Person, api: Api, services: ConsoleServices
) -> None:
    path = f"/live/profiles/{await a_profile(api)}"
    running = asyncio.create_task(streamed(admin, services, path))
    await until_live(services, 1)
    await admin.post("/sign-out", {})
    said = await asyncio.wait_for(running, 10)
    assert said[0].startswith(b"retry:")
    assert services.live.total() == 0


async def test_streams_end_at_once_when_the_process_is_to_stop(
    admin: Person, api: Api, services: ConsoleServices
) -> None:
    path = f"/live/profiles/{await a_profile(api)}"
    running = [asyncio.create_task(streamed(admin, services, path)) for _ in range(5)]
    await until_live(services, 5)
    services.ending.set()
    await asyncio.wait_for(asyncio.gather(*running), 10)
    assert services.live.total() == 0


async def test_nobody_takes_all_streams(admin: Person, api: Api, services: ConsoleServices) -> None:
    path = f"/live/profiles/{await a_profile(api)}"
    who = (await api.services.sessions.caller(admin.secret)).caller.name  # type: ignore[union-attr]
    services.live[who] = STREAMS_OF_ONE_MAX
    answer = await admin.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
