"""Checks of PostgreSQL: version, encoding, migrations, what the application may and may not do."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory

import app.database
from app.database.migrate import POSTGRES_MIN
from app.doctor.findings import Finding
from app.prepare import APPLICATION_ROLE, place
from ledger.event_store.faults import FAULTS, meaning
from projections.read_models import ALL

CONNECT_SECONDS_MAX = 5.0
SKEW_MAX = timedelta(seconds=2)
MIGRATE = "Run `ledger migrate`."
GRANT = f"As the owner: GRANT {APPLICATION_ROLE} TO the role of LEDGER_DATABASE_URL."

_FACTS = """
SELECT current_setting('server_version') AS version,
  current_setting('server_version_num')::int AS version_number,
  current_setting('server_encoding') AS encoding,
  current_setting('fsync') AS fsync,
  current_setting('synchronous_commit') AS synchronous_commit,
  pg_is_in_recovery() AS is_standby,
  to_regclass('ledger_migrations') IS NOT NULL AS has_migrations,
  EXISTS (SELECT FROM pg_tables WHERE schemaname = 'ledger' AND tablename = 'events') AS has_log"""

# From the catalog: to_regclass fails for a role that may not enter the schema.
_MISSING = """
SELECT name FROM unnest($1::text[]) AS wanted(name)
WHERE NOT EXISTS (SELECT FROM pg_tables WHERE schemaname || '.' || tablename = name)"""

# A superuser and the owner may do anything, so for them the question would always say no good.
_RIGHTS = """
SELECT current_user AS login, has_schema_privilege('ledger', 'USAGE') AS enters,
  has_table_privilege('ledger.events', 'SELECT') AS reads,
  has_table_privilege('ledger.events', 'INSERT, UPDATE, DELETE, TRUNCATE') AS writes,
  (SELECT bool_and(has_function_privilege(oid, 'EXECUTE')) FROM pg_proc
   WHERE proname = 'append_batch_tx' AND pronamespace = 'ledger'::regnamespace) AS appends"""


async def examine_database(url: str) -> list[Finding]:
    """Everything about the database behind the address."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX)
    except FAULTS as error:
        detail = f"{place(url)} does not let us in: {meaning(error)}"
        remedy = "Start it, or correct LEDGER_DATABASE_URL (host, port, database, password)."
        return [Finding("PostgreSQL", False, detail, remedy)]
    try:
        return await _examine(connection, url)
    except FAULTS as error:
        return [Finding("PostgreSQL", False, f"stopped answering: {meaning(error)}", "Try again.")]
    finally:
        await connection.close(timeout=CONNECT_SECONDS_MAX)


async def _examine(connection: Any, url: str) -> list[Finding]:
    facts = await connection.fetchrow(_FACTS)
    findings = [
        Finding(
            "PostgreSQL",
            facts["version_number"] >= POSTGRES_MIN and not facts["is_standby"],
            f"version {facts['version']} at {place(url)}"
            + (", a standby that takes no writes" if facts["is_standby"] else ""),
            "Use PostgreSQL 15 or newer, and the primary.",
        ),
        Finding(
            "Encoding",
            facts["encoding"] == "UTF8",
            facts["encoding"],
            "Create the database again with ENCODING 'UTF8'.",
        ),
        Finding(
            "Durability",
            facts["fsync"] == "on" and facts["synchronous_commit"] != "off",
            f"fsync={facts['fsync']}, synchronous_commit={facts['synchronous_commit']}",
            "Switch both on: an answered command must survive a crash.",
        ),
        await _clock(connection),
    ]
    findings.append(await _migrations(connection, has_migrations=facts["has_migrations"]))
    if facts["has_log"]:
        findings += [await _read_models(connection), *await _rights(connection)]
    return findings


async def _clock(connection: Any) -> Finding:
    before = datetime.now(UTC)
    theirs = await connection.fetchval("SELECT clock_timestamp()")
    ours = before + (datetime.now(UTC) - before) / 2
    skew = abs(theirs - ours)
    detail = f"{skew.total_seconds():.3f} s between this machine and PostgreSQL"
    return Finding("Clocks", skew <= SKEW_MAX, detail, "Synchronise both by NTP.")


async def _migrations(connection: Any, *, has_migrations: bool) -> Finding:
    wanted = await asyncio.to_thread(_newest)
    found = None
    if has_migrations:
        try:
            found = await connection.fetchval("SELECT version_num FROM ledger_migrations")
        except asyncpg.InsufficientPrivilegeError:
            # The application need not read the table; that the log is there says enough.
            return Finding("Migrations", True, "done (this role may not see which is the last)")
    detail = f"at {found or 'none'}, this version needs {wanted}"
    return Finding("Migrations", found == wanted, detail, MIGRATE)


def _newest() -> str:
    folder = Path(app.database.__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    return ScriptDirectory.from_config(config).get_current_head() or ""


async def _read_models(connection: Any) -> Finding:
    names = [projection.table.fullname for projection in ALL]
    absent = [row["name"] for row in await connection.fetch(_MISSING, names)]
    detail = f"missing: {', '.join(absent)}" if absent else f"all {len(names)} are there"
    return Finding("Read models", not absent, detail, MIGRATE)


async def _rights(connection: Any) -> list[Finding]:
    if not await connection.fetchval("SELECT has_schema_privilege('ledger', 'USAGE')"):
        return [Finding("Rights", False, "this role may not use the schema ledger", GRANT)]
    rights = await connection.fetchrow(_RIGHTS)
    may = bool(rights["reads"] and rights["appends"])
    return [
        Finding("Rights", may, f"{rights['login']} may {'' if may else 'not '}append", GRANT),
        Finding(
            "Append only",
            not rights["writes"],
            f"{rights['login']} may {'' if rights['writes'] else 'not '}write the log's tables",
            f"Let LEDGER_DATABASE_URL log in with a role that only has {APPLICATION_ROLE}; the"
            " owner's address belongs in LEDGER_OWNER_DATABASE_URL.",
        ),
    ]
