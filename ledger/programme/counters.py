"""How many rewards were issued under a definition that limits them, over all accounts.

A counter is a stream of its own: whoever issues appends to it and to the account together, so two
who take the last one meet there, and one of them is decided again. Only definitions with a
`max_total` have one. Its last event says all, so loading it never takes longer.
"""

from dataclasses import dataclass

from schemas.events import Event
from schemas.reward_definitions import DefinitionIssueCounted

COUNTER_PREFIX = "definition-"


def counter_stream(definition_id: int) -> str:
    """The stream that counts what is issued under a definition."""
    return f"{COUNTER_PREFIX}{definition_id}"


@dataclass(frozen=True, slots=True)
class IssueCounter:
    """How many there are so far. Revoked ones stay counted."""

    count: int = 0


def evolve_counter(counter: IssueCounter, event: Event) -> IssueCounter:
    """The counter after one more event."""
    return IssueCounter(event.number) if isinstance(event, DefinitionIssueCounted) else counter
