"""`ledger replay`: a profile's events in words, from the event store alone."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import asyncpg
import typer

from app.cli.console import MISUSED, fail, say, telling
from app.cli.options import AsJson, DataDir, settings_for_a_person
from app.master_key import vault_if_known
from app.own_servers import existing_database
from app.settings import Settings
from app.wiring import programme_settings
from ledger.event_store.faults import FAULTS, meaning
from ledger.event_store.postgres import PostgresEventStore
from ledger.history import Entry, History, history_of, sealed_in
from ledger.past import Cut
from ledger.personal.vault import Opened
from ledger.programme.state import PROGRAMME_STREAM, Programme, fold_programme
from ledger.streams import account_stream, event_of
from schemas.envelope import Recorded
from schemas.times import local_text, utc_text

PAGE_EVENTS_MAX = 1_000


def replay(
    profile: Annotated[str, typer.Argument(help="The profile's id.")],
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            help="Stop there: 2026-02-10 12:00:00 in LEDGER_ZONE, or ISO 8601 with an offset.",
        ),
    ] = None,
    recorded: Annotated[
        bool,
        typer.Option("--recorded", help="--as-of means when it was recorded, not when it occurred"),
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show why a balance is what it is: each event in words, with the balance after it.

    Reads the event store alone, no read model: what it shows is the fold of the log.
    """
    settings = settings_for_a_person(data_dir=data_dir)
    cut = _cut(as_of, settings.zone, recorded)
    with telling() as teller, existing_database(settings, teller) as complete:
        events, programme = asyncio.run(_read(complete, profile))
        opened = asyncio.run(_opened(complete, events))
    if not events:
        fail(f"there is no profile {profile!r}.")
    held = programme.settings or programme_settings(settings)
    history = history_of(
        events,
        cut=cut,
        currency=held.currency,
        currency_digits=held.currency_digits,
        opened=opened,
    )
    at = cut.at if cut else datetime.now(UTC)
    if as_json:
        say(json.dumps(_document(profile, history, at), indent=2, ensure_ascii=False))
    else:
        _show(profile, history, at, settings.zone)


def _cut(as_of: str | None, zone: str, recorded: bool) -> Cut | None:
    if as_of is None:
        if recorded:
            fail("--recorded has a meaning only with --as-of.", MISUSED)
        return None
    try:
        return Cut.told(as_of, zone, recorded=recorded)
    except ValueError as error:
        fail(f"--as-of: {error}", MISUSED)


async def _read(settings: Settings, profile: str) -> tuple[Sequence[Recorded], Programme]:
    assert settings.database_url is not None
    store = await PostgresEventStore.connect(settings.database_url.get_secret_value())
    try:
        events: list[Recorded] = []
        while True:
            page = await store.read_stream(
                account_stream(profile), after_version=len(events), limit=PAGE_EVENTS_MAX
            )
            events.extend(page)
            if len(page) < PAGE_EVENTS_MAX:
                break
        history = (await store.read_streams([PROGRAMME_STREAM]))[PROGRAMME_STREAM]
        return events, fold_programme(map(event_of, history))
    finally:
        await store.close()


async def _opened(settings: Settings, events: Sequence[Recorded]) -> Mapping[str, Opened]:
    """What is sealed in the events, where this machine has the master key."""
    assert settings.database_url is not None
    sealed = sealed_in(events)
    if not sealed:
        return {}
    url = settings.database_url.get_secret_value()
    try:
        async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
            vault = await vault_if_known(settings, pool)
            return await vault.opened(sealed) if vault else {}
    except FAULTS as error:
        raise meaning(error) from error


def _show(profile: str, history: History, at: datetime, zone: str) -> None:
    rows = [_row(entry, history, zone) for entry in history.entries]
    heads = ("#", f"when ({zone})", "change", "balance", "what")
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(4)]
    for row in [heads, *rows]:
        number, when, change, balance, what = row
        say(
            f"{number:>{widths[0]}}  {when:<{widths[1]}}  {change:>{widths[2]}}"
            f"  {balance:>{widths[3]}}  {what}"
        )
    spendable = f"{history.amount(history.balance_minor(at)):f} {history.currency}"
    say(f"Spendable by {profile} at {local_text(at, zone)} ({zone}): {spendable}")


def _row(entry: Entry, history: History, zone: str) -> tuple[str, str, str, str, str]:
    change = f"{history.amount(entry.change_minor):+f}" if entry.change_minor else ""
    return (
        str(entry.stream_version),
        local_text(entry.occurred_at, zone),
        change,
        f"{history.amount(entry.balance_minor):f}",
        entry.words,
    )


def _document(profile: str, history: History, at: datetime) -> dict[str, Any]:
    """Amounts are text: a JSON number would pass through somebody's float."""
    return {
        "profile_id": profile,
        "as_of": utc_text(at),
        "currency": history.currency,
        "balance": f"{history.amount(history.balance_minor(at)):f}",
        "entries": [
            {
                "position": entry.position,
                "stream_version": entry.stream_version,
                "type": entry.type,
                "occurred_at": utc_text(entry.occurred_at),
                "recorded_at": utc_text(entry.recorded_at),
                "actor": entry.actor,
                "words": entry.words,
                "movements": [m.model_dump(mode="json", by_alias=True) for m in entry.movements],
                "change": f"{history.amount(entry.change_minor):f}",
                "balance": f"{history.amount(entry.balance_minor):f}",
            }
            for entry in history.entries
        ],
    }
