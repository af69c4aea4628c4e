"""`ledger read-models`: look at them, build one anew from the log, let a parked stream go on."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Any

import asyncpg
import typer
from rich.progress import Progress, TaskID

from app.cli.console import FAILED, say, telling
from app.cli.options import DataDir, settings_for_a_person
from app.own_servers import servers_for
from projections.applying import unpark as unpark_stream
from projections.projection import Projection
from projections.read_models import ALL, projection_named
from projections.rebuild import compare, discard, switch
from projections.rebuild import rebuild as build
from projections.stream_states import parked_streams

DIFFERENCES_SHOWN_MAX = 20
ReadModel = StrEnum("ReadModel", {each.name.upper(): each.name for each in ALL})  # type: ignore[misc]

Work = Callable[["asyncpg.Pool[Any]"], Awaitable[int]]

group = typer.Typer(help="The read models: state, rebuild, parked streams.", no_args_is_help=True)


@group.command("list")
def list_all(data_dir: DataDir = None) -> None:
    """Each read model with its version, its rows, and the streams that are parked and why."""

    async def told(pool: "asyncpg.Pool[Any]") -> int:
        for projection in ALL:
            rows = await pool.fetchval(f"SELECT count(*) FROM {projection.table.fullname}")  # noqa: S608
            say(f"{projection.name} v{projection.version}: {rows} rows")
            for stream_id, state in (await parked_streams(pool, projection)).items():
                say(f"  parked: {stream_id} at version {state.parked_at_version}")
                say(f"          {state.parked_reason}")
        return 0

    _run(data_dir, told)


@group.command()
def rebuild(
    name: Annotated[ReadModel, typer.Argument(help="The read model.")],
    anew: Annotated[
        bool, typer.Option("--anew", help="Drop what an interrupted rebuild has built so far.")
    ] = False,
    keep_live: Annotated[
        bool, typer.Option("--compare-only", help="Build and compare, but don't switch over.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Build a read model again from the log, beside the live one; compare; switch over.

    Reads and the projector go on meanwhile. Interrupted, it goes on where it was next time.
    """
    projection = projection_named(name.value)

    async def work(pool: "asyncpg.Pool[Any]") -> int:
        if anew:
            await discard(pool, projection)
        await _build(pool, projection)
        differences = await compare(pool, projection)
        for each in differences[:DIFFERENCES_SHOWN_MAX]:
            say(f"{each.table} {each.key}: live {each.live}, rebuilt {each.rebuilt}")
        say(f"{len(differences)} rows differ from the live ones.")
        if keep_live:
            return FAILED if differences else 0
        position = await switch(pool, projection)
        say(f"{projection.name} is the rebuilt one now, up to position {position} of the log.")
        return 0

    _run(data_dir, work)


@group.command()
def unpark(
    name: Annotated[ReadModel, typer.Argument(help="The read model.")],
    stream: Annotated[str, typer.Argument(help="The stream, such as account-p-1.")],
    data_dir: DataDir = None,
) -> None:
    """Try a parked stream again, from the log and in order, once its fault is mended."""
    projection = projection_named(name.value)

    async def work(pool: "asyncpg.Pool[Any]") -> int:
        async with pool.acquire() as connection, connection.transaction():
            applied = await unpark_stream(connection, projection, stream)
        if applied.parked:
            say(f"{stream} is parked again: {applied.parked[stream]}")
            return FAILED
        say(f"{stream} is up to date in {projection.name}: {applied.events} events folded.")
        return 0

    _run(data_dir, work)


async def _build(pool: "asyncpg.Pool[Any]", projection: Projection) -> None:
    with Progress(transient=True) as bar:
        task: TaskID = bar.add_task(f"Rebuilding {projection.name}", total=None)
        await build(
            pool,
            projection,
            lambda position, head: bar.update(task, completed=position, total=head),
        )


def _run(data_dir: DataDir, work: Work) -> None:
    """As the tables' owner, on the database the settings or the data directory name."""
    settings = settings_for_a_person(data_dir=data_dir)
    with telling() as teller, servers_for(settings, teller, kafka=False) as (complete, _):
        owner = complete.owner_database_url or complete.database_url
        assert owner is not None
        teller.end()
        status = asyncio.run(_with_pool(owner.get_secret_value(), work))
    if status:
        raise typer.Exit(status)


async def _with_pool(url: str, work: Work) -> int:
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        return await work(pool)
