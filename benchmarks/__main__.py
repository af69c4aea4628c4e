"""`python -m benchmarks [--seconds N] [--only http,…]`: measure, then print one table."""

from typing import Annotated

import typer

from benchmarks import committing, http, importing, loading, pages, projecting, visibility
from benchmarks.deployment import deployment
from benchmarks.results import Result, show

PARTS = {
    "http": http.run,
    "committer": committing.run,
    "importing": importing.run,
    "loading": loading.run,
    "pages": pages.run,
    "projector": projecting.run,
    "visibility": visibility.run,
}


def main(
    seconds: Annotated[float, typer.Option(help="How long each load lasts.")] = 5.0,
    only: Annotated[str, typer.Option(help="Some of: " + ", ".join(PARTS))] = ",".join(PARTS),
) -> None:
    """Measure the hot paths, each beside a bare limit of the same run."""
    unknown = set(only.split(",")) - set(PARTS)
    if unknown:
        raise typer.BadParameter(f"choose among {', '.join(PARTS)}", param_hint="--only")
    results: list[Result] = []
    for name in only.split(","):
        typer.echo(f"Measuring: {name}", err=True)
        with deployment() as at:
            results += PARTS[name](at, seconds)
    show(results)


app = typer.Typer(pretty_exceptions_enable=False)
app.command()(main)
app()
