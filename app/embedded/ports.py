"""Ports that stay the same over restarts, so that an address written down keeps working."""

import contextlib
import json
import random
import socket
from pathlib import Path
from threading import Lock

from app.embedded.errors import EmbeddedServerError

# Below the range from which systems take the ports of outgoing connections: a remembered port
# is then not lost to some client while the server is down.
FIRST, LAST = 20_000, 32_000
ATTEMPTS_MAX = 100


class Ports:
    """The ports of one data directory, by the name of what listens on them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        self._chosen: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError, AttributeError):
            remembered = json.loads(file.read_text()).items()
            self._chosen = {str(name): int(port) for name, port in remembered}

    def choose(self, name: str, wanted: int | None) -> int:
        """The wanted port, else the remembered one when it is free, else a new one."""
        with self._lock:
            port = wanted or self._chosen.get(name)
            if wanted and not is_free(wanted):
                raise EmbeddedServerError(
                    "port_taken",
                    f"Port {wanted} on 127.0.0.1, asked for {name}, is taken by another program."
                    " Stop that program, ask for another port, or ask for none: a free one is"
                    " chosen and remembered.",
                )
            if port is None or not is_free(port):
                port = self._free()
            self._chosen[name] = port
            self._file.write_text(json.dumps(self._chosen, indent=2))
            return port

    def remembered(self, name: str) -> int | None:
        """The port it had last."""
        return self._chosen.get(name)

    def _free(self) -> int:
        for _ in range(ATTEMPTS_MAX):
            port = random.randint(FIRST, LAST)  # noqa: S311 -- nothing secret about a port
            if port not in self._chosen.values() and is_free(port):
                return port
        raise EmbeddedServerError(
            "port_taken",
            f"No free port found on 127.0.0.1 between {FIRST} and {LAST}. Stop some servers, or"
            " ask for a port that is free.",
        )


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True
