"""What became of a command that came over Kafka: one outcome each, on a topic of their own."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field


class CommandReference(BaseModel):
    """Which command an outcome is of: its topic's source, and what its sender called it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic_source: str
    """The source its topic stands for: `default`, or what follows `ledger.commands.`."""
    source: str
    """Its own `ce_source`."""
    id: str
    type: str


class WrittenEvent(BaseModel):
    """An event the command led to: its type and the numbers in it, such as `reward_id`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    ids: dict[str, int | str]


class CommandAccepted(BaseModel):
    """The command is durable. A repeat has the same outcome again, with `replayed`."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "outcome": "accepted",
        "command": {
            "topic_source": "webshop",
            "source": "/webshop",
            "id": "order-1001",
            "type": "MakeRedemption",
        },
        "position": 4711,
        "replayed": False,
        "events": [{"type": "RedemptionMade", "ids": {"redemption_id": 158, "profile_id": "p-1"}}],
    }

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal["accepted"] = "accepted"
    command: CommandReference
    position: int = 0
    """Where the log stood after it; 0 where it wrote nothing."""
    replayed: bool = False
    events: tuple[WrittenEvent, ...] = ()


class CommandRefused(BaseModel):
    """The ledger said no, and wrote nothing. `code` is one of docs/errors.md."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "outcome": "refused",
        "command": {
            "topic_source": "webshop",
            "source": "/webshop",
            "id": "order-1002",
            "type": "MakeRedemption",
        },
        "code": "insufficient_balance",
        "status": 422,
        "detail": "The available balance is 5; 7 was asked for.",
        "errors": {"amount": ["The available balance is 5; 7 was asked for."]},
        "facts": {"available": 5},
        "replayed": False,
    }

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal["refused"] = "refused"
    command: CommandReference
    code: str
    status: int
    """What HTTP would have answered with."""
    detail: str
    errors: dict[str, list[str]] = {}
    facts: dict[str, Any] = {}
    """What a program may want to know of it, under the names HTTP has; amounts are decimals."""
    replayed: bool = False


Outcome = Annotated[CommandAccepted | CommandRefused, Field(discriminator="outcome")]
"""What a reader of the outcomes gets."""
