"""Commands that need no server: what they say, and the status they end with."""

import json
import socket
from pathlib import Path

import pytest
from command_line.ledger_command import run_ledger
from typer.testing import CliRunner

from app.cli.commands import ledger

UNREACHABLE = "postgresql://user:topsecret@127.0.0.1:1/ledger"
COMMANDS = (
    "demo", "up", "serve", "migrate", "doctor", "replay", "import", "settings", "openapi", "token",
    "user",
)  # fmt: skip


def refused(*arguments: str, status: int = 1, **variables: str) -> str:
    """The one clear line a command ends with."""
    outcome = run_ledger(*arguments, **variables)
    assert outcome.returncode == status, outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert "topsecret" not in outcome.stderr + outcome.stdout
    return outcome.stderr[outcome.stderr.rindex("ledger: ") :]


def test_help_names_every_command() -> None:
    shown = run_ledger("--help").stdout
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    outcome = CliRunner().invoke(ledger, [command, "--help"])
    assert outcome.exit_code == 0
    assert len(outcome.stdout) > 100


def test_the_version_is_shown() -> None:
    assert run_ledger("--version").stdout.startswith("rewards-ledger 0.")


def test_a_bad_setting_is_one_line() -> None:
    said = refused("up", status=2, LEDGER_PORT="eighty")
    assert "LEDGER_PORT: " in said


def test_a_missing_address_names_the_variable(tmp_path: Path) -> None:
    nowhere = ("--data-dir", str(tmp_path / "none"))
    assert "LEDGER_DATABASE_URL is not set" in refused("serve", "api", *nowhere)
    said = refused("serve", "relay", *nowhere, LEDGER_DATABASE_URL=UNREACHABLE)
    assert "LEDGER_KAFKA_BOOTSTRAP_SERVERS is not set" in said


def test_an_unreachable_database_is_said_without_its_password() -> None:
    assert "user@127.0.0.1:1/ledger" in refused("migrate", LEDGER_DATABASE_URL=UNREACHABLE)


def test_a_taken_port_is_said_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused("up", "--port", port, "--data-dir", str(tmp_path / "data"))
    assert f"can't listen on 127.0.0.1:{port}" in said
    assert not (tmp_path / "data").exists()


def test_a_data_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused("up", "--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert "cannot be written" in said


def test_an_unknown_scope_lists_those_there_are(tmp_path: Path) -> None:
    arguments = ("token", "create", "--client", "till", "--scope", "everything")
    said = refused(*arguments, "--data-dir", str(tmp_path / "none"), status=2)
    assert "redeem-strategy" in said


@pytest.mark.parametrize("moment", ["yesterday", "2026-02-30 00:00:00", "2026-01-01"])
def test_a_moment_that_is_none_is_refused(moment: str, tmp_path: Path) -> None:
    said = refused("replay", "p", "--as-of", moment, "--data-dir", str(tmp_path), status=2)
    assert said.startswith("ledger: --as-of: ")


def test_looking_at_a_ledger_that_is_not_there_makes_none(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    said = refused("replay", "p-1", "--data-dir", str(folder))
    assert f"There is no ledger in {folder}" in said
    assert not folder.exists()


def test_doctor_says_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    outcome = run_ledger(
        *("doctor", "--json", "--data-dir", str(tmp_path / "data")),
        LEDGER_DATABASE_URL=UNREACHABLE,
        LEDGER_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
        LEDGER_POTR="80",
    )
    assert outcome.returncode == 1
    findings = {finding["name"]: finding for finding in json.loads(outcome.stdout)}
    wrong = {name for name, finding in findings.items() if not finding["ok"]}
    assert wrong == {"PostgreSQL", "Kafka", "Variables"}
    assert all(findings[name]["remedy"] for name in wrong)
    assert "LEDGER_POTR" in findings["Variables"]["detail"]
    assert "topsecret" not in outcome.stdout


def test_settings_show_no_secret() -> None:
    shown = run_ledger(
        "settings", LEDGER_DATABASE_URL=UNREACHABLE, LEDGER_KAFKA_PASSWORD="topsecret"
    ).stdout
    assert "LEDGER_DATABASE_URL=user@127.0.0.1:1/ledger" in shown
    assert "topsecret" not in shown


def test_the_openapi_document_is_printed() -> None:
    document = json.loads(run_ledger("openapi").stdout)
    assert "/api/v3/profiles/{profile_id}/redeem" in document["paths"]
