"""`ledger demo`: the article's four steps on a ledger of its own, filled with data if asked to."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

import httpx
import typer

from app.cli.console import Teller, output, say, telling
from app.cli.demo_data import DemoData
from app.cli.options import DataDir, PortOption, settings_for_a_person
from app.data_dir import token_file
from app.demo.data import Asked
from app.demo.kafka_records import RecordsMissing, records_of
from app.demo.showing import Showing
from app.demo.walk import REQUEST_SECONDS_MAX, Walk, WalkFailed
from app.running import pause
from app.service import Running
from app.settings import Settings
from app.up import Ready, run_up

CLOCKS_MAY_DIFFER = timedelta(minutes=1)
LOOK_SECONDS = 0.2
PROFILES_MAX = 20_000


def demo(
    once: Annotated[
        bool,
        typer.Option("--once", help="End after the walk: 0 if every answer was as expected."),
    ] = False,
    data: Annotated[
        int | None,
        typer.Option(
            "--data",
            metavar="N",
            min=1,
            max=PROFILES_MAX,
            help="First fill the ledger with a made-up programme of N profiles and two years.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another programme.")] = 1,
    data_dir: DataDir = None,
    port: PortOption = None,
) -> None:
    """Walk the four steps of a reward over HTTP and show what goes in and what comes out.

    Starts everything as `ledger up` does, then: define a reward, issue it, read the balance, redeem
    it, link the redemption to a sale; the profile's history; the Kafka records behind it. Then it
    stays up until Ctrl-C, so that you can go on.

    With --data it first fills in a programme, through the same commands, each as of its own
    moment. Interrupted, the same command goes on from there; run again, it writes nothing twice.
    """
    settings = settings_for_a_person(data_dir=data_dir, port=port)
    with telling() as teller:
        shown = _Demo(once, teller, filled=data is not None)
        if data is None:
            run_up(settings, teller, shown.on_ready)
        else:
            asked = Asked(data, seed, own=settings.database_url is None)
            run_up(settings, teller, shown.on_ready, DemoData(asked, teller))
    if shown.failures and once:
        raise WalkFailed("the walk differs: " + "; ".join(shown.failures))
    if once and not shown.walked:
        raise WalkFailed("stopped before the walk was over")


@dataclass
class _Demo:
    once: bool
    teller: Teller
    filled: bool = False
    walked: bool = False
    failures: list[str] = field(default_factory=list)

    async def on_ready(self, ready: Ready, running: Running, settings: Settings) -> None:
        """The walk, and what comes after it."""
        if self.filled and not await self._caught_up(ready, running):
            return
        self.teller.end()
        showing = Showing(output)
        await self._walk(ready, settings, showing)
        self.walked = True
        if self.failures:
            showing.step("The walk differs")
            for failure in self.failures:
                showing.difference(failure)
        else:
            showing.step("Every step gave what the article says")
        if self.once:
            running.stopping.set()
        else:
            _tell_what_next(ready, settings)

    async def _caught_up(self, ready: Ready, running: Running) -> bool:
        """Wait until the read models have every event; False when the process is to stop first."""
        async with httpx.AsyncClient(timeout=REQUEST_SECONDS_MAX, trust_env=False) as client:
            while not running.stopping.is_set():
                health = (await client.get(f"{ready.url}/readyz")).json()
                events = health.get("lag", {}).get("events")
                if events == 0:
                    say("Read models: caught up with every event")
                    return True
                self.teller(f"Read models: {events} events to go")
                await pause(running.stopping, LOOK_SECONDS)
        return False

    async def _walk(self, ready: Ready, settings: Settings, showing: Showing) -> None:
        since = datetime.now(UTC) - CLOCKS_MAY_DIFFER
        async with httpx.AsyncClient(
            base_url=ready.url,
            headers={"Authorization": f"Bearer {ready.token}"},
            timeout=REQUEST_SECONDS_MAX,
            trust_env=False,
        ) as client:
            walk = Walk(client, showing)
            try:
                await walk.run()
                await _show_records(settings, walk, since, showing)
            except (WalkFailed, RecordsMissing) as error:
                self.failures.append(str(error))
            self.failures += walk.differences


async def _show_records(settings: Settings, walk: Walk, since: datetime, showing: Showing) -> None:
    topic, servers = settings.events_topic, settings.kafka_bootstrap_servers
    showing.step(f"The Kafka records behind it: topic {topic} at {servers}")
    found = await records_of(settings, walk.profile_id, since, len(walk.history))
    for each in found:
        event = each.event
        showing.line(
            f"  partition {each.partition} offset {each.offset:<5} position {event.position:<6}"
            f" version {event.stream_version:<3} {event.type}"
        )
        showing.line(f"      {event.payload.decode()}")
    in_kafka = [(each.event.stream_version, each.event.type) for each in found]
    in_history = [(entry["version"], entry["type"]) for entry in walk.history]
    if in_kafka != in_history:
        walk.differences.append(f"Kafka has {in_kafka}, the history {in_history}")


def _tell_what_next(ready: Ready, settings: Settings) -> None:
    say()
    say(f"The ledger stays up.  API      {ready.url}/api/v3")
    say(f"                      Docs     {ready.url}/docs")
    say(f"                      Console  {ready.url}/console")
    say(f"                      Token    {ready.token}")
    say(f"                               (kept in {token_file(settings.data_dir)})")
    say()
    say("Try next:")
    say(f"  curl -H 'Authorization: Bearer {ready.token}' {ready.url}/api/v3/reward-definitions")
    say()
    say("Press Ctrl-C to stop.")
