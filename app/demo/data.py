"""Demo data: a made-up programme goes into a ledger of one's own, before anybody works on it.

Its commands are decided as of the past. So nothing else may run meanwhile: the expiry worker would
write down what only happens later in the story.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.demo.filling import Filling, Tally, spans
from app.demo.programme import CLIENTS, HANDLES, TWO_YEARS, Step, plan
from app.importing import ImportLedger, import_ledger
from app.settings import Settings
from app.wiring import now
from consumers.published_position import CheckpointUnavailable, PostgresPublishedPosition
from ledger.event_store.port import EventStore, EventStoreUnavailable
from ledger.programme.state import PROGRAMME_STREAM, fold_programme
from ledger.streams import event_of

USUAL_RULES: Final = {"reversal_window_seconds": 600, "return_policy": "reissue", "grace_days": 14}
"""Those the story knows; what the environment says is for what happens from now on."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """How far the story has come."""

    at: datetime
    passed: timedelta
    tally: Tally


Progress = Callable[[SoFar], None]


class NoDemoData(Exception):
    """Made-up data have no place in this ledger; the message says why and what to do."""


class DemoDataDiffer(Exception):
    """The ledger answered otherwise than the story has it: a fault of one of the two."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which programme."""

    profiles: int
    seed: int
    own: bool
    """The database is one of our own, in the data directory."""


async def fill(settings: Settings, asked: Asked, progress: Progress) -> Tally:
    """Fill what is missing of the programme. `progress` learns how far the story has come.

    Raises:
        NoDemoData: not in this ledger.
        DemoDataDiffer: some of it came otherwise.
    """
    assert settings.database_url is not None
    # Whoever leads publishes; as long as we do, no read model and no expiry worker sees a thing.
    leading = PostgresPublishedPosition(settings.database_url.get_secret_value(), settings.relay)
    try:
        if not await leading.try_lead():
            raise NoDemoData(
                "Another process carries this ledger's events on; stop it, and fill it then."
            )
        rules = settings.model_copy(update=USUAL_RULES)
        async with import_ledger(rules) as ledger:
            return await _filled(ledger, asked, progress)
    except CheckpointUnavailable as error:
        raise EventStoreUnavailable(str(error)) from error
    finally:
        await leading.release()


async def _filled(ledger: ImportLedger, asked: Asked, progress: Progress) -> Tally:
    store = ledger.store
    first = next(plan(asked.seed, asked.profiles, now()))
    begun = await begun_at(first, store)
    if begun is None:
        await _refuse_another(ledger, asked)

    async def may_go_on() -> None:
        if begun is not None:
            await _refuse_what_went_on(store)

    until = now() if begun is None else begun + TWO_YEARS
    submit_all = ledger.lanes[0].submit_all
    filling = Filling(store, ledger.vault, submit_all, may_go_on)
    for steps in spans(plan(asked.seed, asked.profiles, until)):
        await filling.take(steps)
        at = steps[-1].at
        progress(SoFar(at, at - (until - TWO_YEARS), filling.tally))
    if filling.tally.unplanned:
        listed = "\n  ".join(filling.tally.examples)
        raise DemoDataDiffer(
            f"{filling.tally.unplanned} commands of the demo data came otherwise. Please report"
            f" this, with --data {asked.profiles} --seed {asked.seed}:\n  {listed}"
        )
    return filling.tally


async def begun_at(first: Step, store: EventStore) -> datetime | None:
    """When the story begins that an earlier run has begun to fill in; None where none has."""
    name = (first.client, first.key)
    record = (await store.records([name])).get(name)
    if record is None:
        return None
    written = await store.read_log(after_position=record.first_position - 1, limit=1)
    return written[0].occurred_at


async def _refuse_another(ledger: ImportLedger, asked: Asked) -> None:
    """A programme is begun in an empty ledger, or in one of our own that has no such programme."""
    history = (await ledger.store.read_streams([PROGRAMME_STREAM]))[PROGRAMME_STREAM]
    if HANDLES & set(fold_programme(map(event_of, history)).handles):
        raise NoDemoData(
            "This ledger has a demo programme of another size or seed; fill another ledger"
            " (--data-dir)."
        )
    if not asked.own and await ledger.store.head():
        raise NoDemoData(
            "LEDGER_DATABASE_URL names a ledger that is in use. Made-up data go into an empty one:"
            " name another database, or none for one of its own."
        )
    if ledger.programme.currency_digits != 2:
        raise NoDemoData("The demo data are in a currency with two decimals; this ledger's isn't.")


async def _refuse_what_went_on(store: EventStore) -> None:
    """What time has done since then to half a story, in another's hands, can't be undone."""
    (last,) = await store.read_log(after_position=await store.head() - 1, limit=1)
    if last.actor not in CLIENTS:
        raise NoDemoData(
            "This ledger has gone on since its filling was interrupted, and the past can't be"
            " filled in behind that. Fill another ledger (--data-dir)."
        )
