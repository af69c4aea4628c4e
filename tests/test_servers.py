"""Which servers the tests take: the environment's, else our own, else containers."""

from pathlib import Path

import pytest
import servers

from app.embedded import EmbeddedServerError


class NoServers:
    """Servers of our own that can't start here."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def start(self) -> None:
        raise EmbeddedServerError("not_here", "no server can start here")


def test_what_the_environment_names_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(servers.POSTGRES, "postgresql://elsewhere/db")
    monkeypatch.setenv(servers.KAFKA, "elsewhere:9092")
    with servers.postgres_server(tmp_path) as url, servers.kafka_server(tmp_path) as address:
        assert (url, address) == ("postgresql://elsewhere/db", "elsewhere:9092")


def test_without_any_server_the_tests_fail_and_say_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(servers.POSTGRES, raising=False)
    monkeypatch.delenv(servers.KAFKA, raising=False)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setattr(servers, "EmbeddedServers", NoServers)
    with pytest.raises(EmbeddedServerError, match="no server can start here"):
        servers.postgres_server(tmp_path).__enter__()
    with pytest.raises(EmbeddedServerError, match="no server can start here"):
        servers.kafka_server(tmp_path).__enter__()
