"""Whatever goes wrong, the error says what it is and how to mend it."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from app.embedded import EmbeddedServerError, EmbeddedServers
from app.embedded.holding import Hold


def _failure(embedded: EmbeddedServers) -> EmbeddedServerError:
    with pytest.raises(EmbeddedServerError) as failure:
        embedded.start()
    return failure.value


def test_a_port_asked_for_and_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        choices: list[dict[str, Any]] = [
            {"postgres_port": port, "kafka": False},
            {"kafka_port": port, "postgres": False},
        ]
        for choice in choices:
            failure = _failure(EmbeddedServers(tmp_path, **choice))
            assert failure.code == "port_taken"
            assert f"Port {port} on 127.0.0.1" in failure.message


def test_a_remembered_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        (tmp_path / "ports.json").write_text(json.dumps({"postgres": taken}))
        with EmbeddedServers(tmp_path, kafka=False) as embedded:
            assert f":{taken}/" not in embedded.servers.database_url


@pytest.mark.parametrize("spoilt", ["", "{}", "not json", '{"superuser": 1}'])
def test_unusable_passwords(tmp_path: Path, spoilt: str) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "postgres.json").write_text(spoilt)
    failure = _failure(EmbeddedServers(tmp_path, kafka=False))
    assert failure.code == "secrets_unusable"
    assert "Restore that file from a backup" in failure.message


def test_passwords_the_server_does_not_know_and_lost_ones(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, kafka=False):
        pass
    file = tmp_path / "secrets" / "postgres.json"
    file.write_text(json.dumps(dict.fromkeys(json.loads(file.read_text()), "x" * 32)))
    assert _failure(EmbeddedServers(tmp_path, kafka=False)).code == "secrets_unusable"
    file.unlink()
    assert _failure(EmbeddedServers(tmp_path, kafka=False)).code == "secrets_unusable"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    failure = _failure(EmbeddedServers(tmp_path / "file" / "data"))
    assert failure.code == "unwritable"
    assert str(tmp_path / "file") in failure.message


def test_a_holder_that_does_not_get_ready_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    hold = Hold(tmp_path)
    assert hold.take()
    failure = _failure(EmbeddedServers(tmp_path, holder_seconds_max=0.5))
    hold.release()
    assert failure.code == "held"
    assert f"process {os.getpid()}, which is still starting" in failure.message


def test_a_holder_without_the_server_asked_for(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, kafka=False):
        failure = _failure(EmbeddedServers(tmp_path))
    assert failure.code == "held_without"
    assert "runs no Kafka there" in failure.message


def test_binaries_that_are_not_there(tmp_path: Path) -> None:
    failure = _failure(EmbeddedServers(tmp_path, kafka=False, postgres_bin=tmp_path))
    assert failure.code == "postgres_missing"
    assert str(tmp_path / "postgres") in failure.message


def test_a_server_that_stops_at_once_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, kafka=False):
        pass
    (tmp_path / "postgres" / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    failure = _failure(EmbeddedServers(tmp_path, kafka=False))
    assert failure.code == "postgres_exited"
    assert "no_such_setting" in failure.message
    assert "postgres.log" in failure.message


def test_kafka_data_without_its_identity_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "kafka" / "log" / "ledger.events-0").mkdir(parents=True)
    failure = _failure(EmbeddedServers(tmp_path, postgres=False))
    assert failure.code == "kafka_data_damaged"
    assert (tmp_path / "kafka" / "log" / "ledger.events-0").exists()
