"""`ledger import`: rewards from a CSV file, checked whole before any is written."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Final

import typer
import uvloop

from app.cli.console import FAILED, MISUSED, Bar, fail, say, telling
from app.cli.options import DataDir, settings_for_a_person
from app.importing import ImportLedger, import_ledger
from app.own_servers import existing_database
from app.settings import Settings
from app.wiring import now, programme_settings
from ledger.decider import ProgrammeSettings
from ledger.event_store.faults import FAULTS, meaning
from ledger.imports.checking import Check, Rules
from ledger.imports.csv_lines import CsvLines, Line, UnreadableFile, digest_of
from ledger.imports.rejected_rows import RejectedRows
from ledger.imports.reward_rows import SAID_OF_THE_ROW, RewardRows
from ledger.imports.run import FileOfRows, Tally
from ledger.imports.writing import Halted, Sender, Writing
from schemas.amounts import from_minor

ACTOR: Final = "import"
HEADER_MAX: Final = 16 * 1024
ROWS_SAID_MAX: Final = 5

group = typer.Typer(help="Bring in what was kept elsewhere.", no_args_is_help=True)


@group.callback()
def _group() -> None:
    pass


@group.command("rewards")
def rewards(
    file: Annotated[Path, typer.Argument(help="A CSV file; its first line names the columns.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Stop after the check; write nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write the good rows without asking.")] = False,
    create_profiles: Annotated[
        bool, typer.Option("--create-profiles", help="Issue to profiles nobody knows yet, too.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Issue a reward for each row of FILE.

    Every row is checked first, and nothing is written meanwhile. Rows that can't be imported go to
    FILE.errors.csv with the reason: correct them there, and import that file. An import that was
    interrupted goes on when the same file is imported again; no row is written twice.

    Ends with 0 if every row is written, 1 if some were rejected, 2 if nothing could be done.
    """
    settings = settings_for_a_person(data_dir=data_dir)
    try:
        opened = file.open("rb")
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}.", MISUSED)
    with opened, telling() as teller, existing_database(settings, teller) as complete:
        teller.end()
        asked = _Asked(file, opened, dry_run, yes, create_profiles)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                rejected = runner.run(_import(complete, asked))
        except UnreadableFile as error:
            fail(f"{file}: {error}", MISUSED)
        except Halted as error:
            fail(f"{error} Import the same file again: it goes on where it was.")
        except FAULTS as error:
            raise meaning(error) from error
    if rejected:
        raise typer.Exit(FAILED)


@dataclass(frozen=True)
class _Asked:
    file: Path
    opened: IO[bytes]
    dry_run: bool
    yes: bool
    create_profiles: bool

    def rows(self) -> RewardRows:
        self.opened.seek(0)
        return RewardRows(CsvLines(self.opened))


async def _import(settings: Settings, asked: _Asked) -> int:
    """How many rows were rejected."""
    rows = asked.rows()
    errors = _ErrorsFile(asked.file, RejectedRows(rows.lines.columns))
    async with import_ledger(settings) as ledger:
        try:
            check = Check(
                ledger.store,
                ledger.profiles,
                Rules(now, programme_settings(settings), asked.create_profiles),
                errors,
            )
            size = asked.file.stat().st_size
            with Bar("Checking", size, "rows") as bar:
                file = FileOfRows(digest_of(asked.opened), rows := asked.rows())
                await check.run(file, lambda tally: bar.moved(rows.lines.bytes_read, tally.rows))
            _tell_check(check.tally, ledger.programme)
            errors.tell()
            if asked.dry_run or not check.tally.good or not _confirmed(asked, check.tally):
                return check.tally.rejected
            return check.tally.rejected + await _written(ledger, asked, file, check, errors)
        finally:
            errors.close()


async def _written(
    ledger: ImportLedger, asked: _Asked, file: FileOfRows, check: Check, errors: "_ErrorsFile"
) -> int:
    sender = Sender(ACTOR, ledger.vault.fingerprint_key)
    lanes = [committer.submit_all for committer in ledger.lanes]
    writing = Writing(ledger.store, ledger.profiles, lanes, sender, errors)
    again = FileOfRows(file.digest, asked.rows())
    with Bar("Writing", check.tally.rows, "rows") as bar:
        await writing.run(again, check.spoilt, lambda tally: bar.moved(tally.rows, tally.rows))
    tally = writing.tally
    before = f", {tally.done_before} were before" if tally.done_before else ""
    say(f"{tally.good} rewards are written{before}.")
    errors.tell()
    return tally.rejected


def _confirmed(asked: _Asked, tally: Tally) -> bool:
    if asked.yes:
        return True
    try:
        return typer.confirm(f"Write {tally.good} rewards?", err=True)
    except typer.Abort:
        fail("nothing was written. Say --yes where nobody can be asked.", MISUSED)


def _tell_check(tally: Tally, programme: ProgrammeSettings) -> None:
    before = f", {tally.done_before} written before" if tally.done_before else ""
    say(f"{tally.rows} rows: {tally.good} good{before}, {tally.rejected} rejected.")
    for definition_id, of in sorted(tally.definitions.items()):
        value = from_minor(of.value_minor, digits=programme.currency_digits)
        say(
            f"  definition {definition_id}: {of.rewards} rewards,"
            f" {value:f} {programme.currency} to spend"
        )


class _ErrorsFile:
    """FILE.errors.csv: begun with the first rejected row. It may hold e-mails, so it is private."""

    def __init__(self, file: Path, rejected: RejectedRows) -> None:
        self._path = file.with_name(f"{file.stem}.errors.csv")
        self._rejected = rejected
        self._file: IO[str] | None = None
        self._first: list[str] = []
        self._told = 0

    def __call__(self, line: Line, why: str) -> None:
        """One more."""
        if self._file is None:
            self._file = self._begun()
        self._file.write(self._rejected.row(line, why))
        if len(self._first) < ROWS_SAID_MAX:
            self._first.append(f"  line {line.number}: {why}")

    def tell(self) -> None:
        """Where they are, and the first ones."""
        if self._file is None:
            self._remove_older()
            return
        self._file.flush()
        for text in self._first[self._told :]:
            say(text)
        self._told = len(self._first)
        say(f"Rejected rows are in {self._path}: correct them there, and import that file.")

    def _remove_older(self) -> None:
        """What an earlier run has rejected is good by now. Only a file of ours is taken away."""
        try:
            with self._path.open(encoding="utf-8", errors="replace", newline="") as older:
                ours = older.readline(HEADER_MAX).rstrip("\r\n").endswith(",".join(SAID_OF_THE_ROW))
            if ours:
                self._path.unlink()
                say(f"{self._path} of an earlier run is removed: no row is rejected any more.")
        except FileNotFoundError:
            return
        except OSError as error:
            say(f"{self._path} is of an earlier run, and can't be removed: {error.strerror}.")

    def close(self) -> None:
        """Again is fine."""
        if self._file is not None:
            self._file.close()

    def _begun(self) -> IO[str]:
        private = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        try:
            number = os.open(self._path, private, 0o600)
        except OSError as error:
            raise UnreadableFile(
                f"There are rejected rows, and {self._path} can't be written: {error.strerror}."
            ) from error
        opened = open(number, "w", encoding="utf-8-sig", newline="")  # noqa: SIM115 - see close
        opened.write(self._rejected.header)
        return opened
