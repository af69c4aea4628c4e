"""What a run found, as a table: every figure beside the one it is measured against."""

import os
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Result:
    """One line. `share` is what matters: machines differ and are noisy."""

    what: str
    measured: str
    beside: str = ""
    share: float | None = None
    goal: str = ""


def show(results: list[Result]) -> None:
    """Print the table, with the machine it is from."""
    table = Table(title="Benchmarks")
    for heading in ("what", "measured", "beside", "share", "goal"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for result in results:
        share = "" if result.share is None else f"{result.share:.0%}"
        table.add_row(result.what, result.measured, result.beside, share, result.goal)
    console = Console()
    console.print(table)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    console.print(f"{os.cpu_count()} cores; load average at the end {load}")
