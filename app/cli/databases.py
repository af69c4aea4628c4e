"""`ledger migrate` and `ledger doctor`."""

import asyncio
import json
from dataclasses import asdict

import typer

from app.cli.console import FAILED, say, telling
from app.cli.options import AsJson, DataDir, settings_for_a_person
from app.doctor import Finding, examine
from app.own_servers import servers_for
from app.prepare import place, prepare


def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to this version, and let the application's role in.

    Uses LEDGER_OWNER_DATABASE_URL (else LEDGER_DATABASE_URL); safe to repeat, and while others
    write. Without either it migrates the PostgreSQL of the data directory.
    """
    settings = settings_for_a_person(data_dir=data_dir)
    with telling() as teller:
        with servers_for(settings, teller, kafka=False) as (complete, _):
            assert complete.database_url is not None
            application = complete.database_url.get_secret_value()
            owner = complete.owner_database_url or complete.database_url
            teller(f"Migrating {place(owner.get_secret_value())}")
            asyncio.run(prepare(owner.get_secret_value(), application))
        teller.end()
    say("The database is ready for this version.")


def doctor(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Check everything the ledger depends on; say what is wrong and how to mend it.

    Changes nothing. Ends with 1 if something is wrong.
    """
    settings = settings_for_a_person(data_dir=data_dir)
    with telling() as teller:
        findings = examine(settings, teller)
    if as_json:
        _as_json(findings)
    else:
        for finding in findings:
            say(_line(finding))
    wrong = sum(not finding.ok for finding in findings)
    if not as_json:
        say(f"{wrong} of {len(findings)} checks failed." if wrong else "All is well.")
    if wrong:
        raise typer.Exit(FAILED)


def _line(finding: Finding) -> str:
    mark = "ok   " if finding.ok else "WRONG"
    remedy = f"\n      → {finding.remedy}" if finding.remedy and not finding.ok else ""
    return f"{mark} {finding.name}: {finding.detail}{remedy}"


def _as_json(findings: list[Finding]) -> None:
    say(json.dumps([asdict(finding) for finding in findings], indent=2))
