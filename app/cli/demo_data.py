"""`ledger demo --data N`: the bar, and what is said when the data are in."""

import asyncio
import time
from dataclasses import dataclass

import uvloop

from app.cli.console import Bar, Teller, say
from app.demo.data import Asked, fill
from app.demo.filling import Tally
from app.demo.programme import TWO_YEARS
from app.settings import Settings
from ledger.event_store.faults import FAULTS, meaning


@dataclass(frozen=True)
class DemoData:
    """Fills the ledger before its roles start."""

    asked: Asked
    teller: Teller

    def __call__(self, settings: Settings) -> None:
        """Fill what is missing.

        Raises:
            NoDemoData, DemoDataDiffer: see `app.demo.data`.
        """
        self.teller(f"Demo data: {self.asked.profiles:,} profiles, seed {self.asked.seed}")
        start = time.monotonic()
        try:
            with (
                self.teller.aside(),
                asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
            ):
                tally = runner.run(self._filled(settings))
        except KeyboardInterrupt:
            self.teller("What is filled stays; the same command goes on from there.")
            raise
        except FAULTS as error:
            raise meaning(error) from error
        self._tell(tally, time.monotonic() - start)

    async def _filled(self, settings: Settings) -> Tally:
        with Bar("Demo data", TWO_YEARS.total_seconds(), "commands") as bar:
            return await fill(
                settings,
                self.asked,
                lambda so_far: bar.moved(
                    so_far.passed.total_seconds(),
                    so_far.tally.steps,
                    f"Demo data, {so_far.at:%B %Y}",
                ),
            )

    def _tell(self, tally: Tally, seconds: float) -> None:
        new = tally.steps - tally.before
        if not new:
            say(f"Demo data: all {tally.steps:,} commands were there; none is written twice.")
            return
        before = f", {tally.before:,} were there before" if tally.before else ""
        say(
            f"Demo data: {self.asked.profiles:,} profiles, {new:,} commands in {seconds:.1f} s"
            f" ({new / seconds:,.0f}/s){before}."
        )
