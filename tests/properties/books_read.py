"""Balance and journal of every account, folded as the log grows, without a database."""

from datetime import datetime

from projections.projection import Row, Rows
from projections.read_models import balances, journal
from schemas.envelope import Recorded
from schemas.events import Event

MODELS = (balances.PROJECTION, journal.PROJECTION)


class BooksRead:
    """Rows and notes of both models, and what they come to for a profile."""

    def __init__(self) -> None:
        self._rows: dict[str, Rows] = {model.name: {} for model in MODELS}
        self._lines: dict[str, list[Row]] = {}

    def read(self, recorded: Recorded, event: Event) -> None:
        """What the projectors do with an event."""
        for model in MODELS:
            if not (model.follows(recorded.stream_id) and model.relevant(recorded)):
                continue
            known = self._rows[model.name]
            wanted = {key: known.get(key) for key in model.keys(recorded, event)}
            changed = model.evolve(wanted, recorded, event)
            self._rows[model.name] = {**known, **changed}
            if model is journal.PROJECTION:
                rows = [row for key, row in changed.items() if isinstance(key, tuple) and row]
                for row in sorted(rows, key=lambda row: row["movement_index"]):
                    self._lines.setdefault(row["profile_id"], []).append(row)

    def tell(self, profile: str, balance: int, now: datetime) -> None:
        """The balance is what the model says, and the journal's sum what has been recorded of it.

        Each line has the balance that those before it and its own effect come to.
        """
        row = self._rows[balances.PROJECTION.name].get((profile,))
        assert balances.balance_at(row, now).available_minor == balance
        so_far = 0
        for line in self._lines.get(profile, ()):
            so_far += line["effect_minor"]
            assert line["balance_minor"] == so_far
        assert so_far == (0 if row is None else row["available_minor"])
