"""The HTTP server in our process: our own signals, our own logs, our own socket."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

KEEP_ALIVE_SECONDS = 75
BACKLOG = 2_048


class PortTaken(Exception):
    """Somebody else listens there."""


@dataclass(frozen=True, slots=True)
class Transport:
    """How requests come in: over HTTPS with a certificate, and from behind which proxies."""

    cert_file: Path | None = None
    key_file: Path | None = None
    trusted_proxies: tuple[str, ...] = ()


class HttpServer:
    """Serves an application on a socket that is bound already, so the port is known and ours."""

    def __init__(
        self,
        application: Any,
        listening: socket.socket,
        stop_seconds_max: float,
        transport: Transport = Transport(),
    ) -> None:
        config = uvicorn.Config(
            application,
            loop="none",
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=max(1, int(stop_seconds_max)),
            server_header=False,
            ssl_certfile=transport.cert_file,
            ssl_keyfile=transport.key_file,
            forwarded_allow_ips=list(transport.trusted_proxies),
        )
        self._server = _Server(config)
        self._listening = listening

    async def run(self) -> None:
        """Serve until `stop()`: then take nothing new, and finish what is in hand."""
        await self._server.serve(sockets=[self._listening])

    async def stop(self) -> None:
        """Begin the orderly end."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """The process decides when to stop, not uvicorn."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one.

    Raises:
        PortTaken: the address is in use or not one of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # At once, so that a second process can't bind it too and fail much later.
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise PortTaken(
            f"The API can't listen on {host}:{port}: {error.strerror}. Stop what listens there, or"
            " choose another port (--port or LEDGER_PORT; 0 takes a free one)."
        ) from error
    listening.set_inheritable(False)
    return listening


def url_of(listening: socket.socket, *, is_tls: bool = False) -> str:
    """The address to put into a browser."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http{'s' if is_tls else ''}://{shown}:{port}"
