"""How the walk looks: on a terminal with colour, elsewhere as plain text."""

import json
from dataclasses import dataclass
from typing import Any

from rich.console import Console


@dataclass(frozen=True)
class Showing:
    """Writes the walk to one console."""

    console: Console

    def step(self, title: str) -> None:
        """A heading."""
        self.console.print()
        self.console.print(f"── {title} ".ljust(80, "─"), style="bold", markup=False)

    def note(self, text: str) -> None:
        """An aside."""
        self.console.print(text, style="italic", markup=False)

    def line(self, text: str) -> None:
        """Text as it is."""
        self.console.print(text, markup=False, highlight=False)

    def request(self, method: str, path: str, body: dict[str, Any] | None) -> None:
        """What goes in."""
        self.console.print(f"→ {method} {path}", style="cyan", markup=False)
        if body is not None:
            self._json(json.dumps(body, ensure_ascii=False))

    def answer(self, status: int, text: str) -> None:
        """What comes out. Fields without a value are left out, or they would hide the others."""
        self.console.print(f"← {status}", style="green" if status < 400 else "red", markup=False)
        try:
            document = json.loads(text)
        except ValueError:
            self.line(text)
        else:
            self._json(json.dumps(_filled(document), ensure_ascii=False))

    def difference(self, text: str) -> None:
        """An expectation that was not met."""
        self.console.print(f"DIFFERENT: {text}", style="bold red", markup=False)

    def _json(self, text: str) -> None:
        self.console.print_json(text, indent=2)


def _filled(document: Any) -> Any:
    if isinstance(document, dict):
        return {
            name: _filled(value) for name, value in document.items() if value not in (None, [], "")
        }
    return [_filled(item) for item in document] if isinstance(document, list) else document
