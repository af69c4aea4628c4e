"""`ledger token` and `ledger user`: what whoever administers access at the terminal meets."""

import json
import subprocess
from typing import Any

from command_line.ledger_command import LEDGER, Up, environment, run_ledger

PASSWORD = "correct horse battery"


def run(up: Up, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [LEDGER, *arguments, "--data-dir", str(up.data_dir)],
        input=typed,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def listed(up: Up, kind: str, *options: str) -> Any:
    return json.loads(run(up, kind, "list", "--json", *options).stdout)


def test_a_token_is_made_listed_and_revoked(up: Up) -> None:
    made = run(up, "token", "create", "--client", "till", "--scope", "read-rewards")
    token = made.stdout.strip()
    assert token.startswith("ledger_")
    newest = listed(up, "token")[0]
    assert (newest["client"], newest["scopes"]) == ("till", ["read-rewards"])
    shown = run(up, "token", "list").stdout
    assert f"id={newest['id']} " in shown
    assert token not in shown
    assert run(up, "token", "revoke", str(newest["id"])).returncode == 0
    assert newest["id"] not in [each["id"] for each in listed(up, "token")]
    assert listed(up, "token", "--all")[0]["revoked_by"] == "command line"
    assert "there is no token 999999." in run(up, "token", "revoke", "999999").stderr


def test_a_user_is_made_from_the_input_and_changed(up: Up) -> None:
    made = run(up, "user", "create", "ada", "--role", "admin", typed=f"{PASSWORD}\n")
    assert made.stdout == "ada can sign in as admin.\n", made.stderr
    again = run(up, "user", "create", "ada", "--role", "staff", typed=f"{PASSWORD}\n")
    assert again.returncode == 1
    assert "there is a user ada" in again.stderr
    kept = run(up, "user", "change", "ada", "--disable")
    assert "This is the last admin" in kept.stderr
    assert run(up, "user", "change", "ada", "--password", typed="another horse\n").returncode == 0
    (only,) = listed(up, "user")
    assert (only["name"], only["role"], only["disabled"]) == ("ada", "admin", False)
    assert "there is no user bob." in run(up, "user", "change", "bob", "--enable").stderr


def test_what_is_no_name_or_password_is_one_line_before_anything_is_looked_for() -> None:
    assert "give 1 to 64" in run_ledger("user", "create", "Ada B", "--role", "staff").stderr
    short = run_ledger("user", "create", "ada", "--role", "staff")
    assert short.returncode == 2
    assert short.stderr.startswith("ledger: give a password of 12 to 200 characters.")
