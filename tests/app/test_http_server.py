"""The HTTP server: one port, one owner, and an end that finishes what is in hand."""

import asyncio
from typing import Any

import httpx
import pytest

from app.http_server import HttpServer, PortTaken, listen, url_of

SLOW_SECONDS = 0.3


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(SLOW_SECONDS)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


async def test_a_request_in_hand_is_finished_and_new_ones_are_not_taken() -> None:
    listening = listen("127.0.0.1", 0)
    url = url_of(listening)
    server = HttpServer(application, listening, stop_seconds_max=5)
    running = asyncio.create_task(server.run())
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{url}/quick")).text == "done"
        in_hand = asyncio.create_task(client.get(f"{url}/slow"))
        await asyncio.sleep(SLOW_SECONDS / 3)
        await server.stop()
        assert (await in_hand).text == "done"
        await asyncio.wait_for(running, 5)
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/quick")


def test_a_taken_port_is_said_with_what_to_do() -> None:
    listening = listen("127.0.0.1", 0)
    try:
        with pytest.raises(PortTaken, match="LEDGER_PORT"):
            listen("127.0.0.1", listening.getsockname()[1])
    finally:
        listening.close()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(PortTaken):
        listen("192.0.2.1", 0)


def test_the_address_shown_can_be_opened_in_a_browser() -> None:
    listening = listen("0.0.0.0", 0)
    try:
        assert url_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()
