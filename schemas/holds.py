"""Holds: a redemption sets value aside first, and takes it when the payment has succeeded."""

from datetime import datetime
from typing import Any, ClassVar

from schemas.amounts import PositiveAmount, WholeNumber
from schemas.commands import Command
from schemas.events import Event
from schemas.redemptions import RedemptionRecord


class CaptureTerms(Command):
    """How much of what is held to take; without an amount, all of it. The rest is released."""

    amount: PositiveAmount | None = None


class CaptureRedemption(CaptureTerms):
    """Take what a redemption holds: once, the whole or a part."""

    redemption_id: WholeNumber


class ReleaseRedemption(Command):
    """Let go of all that a redemption holds."""

    redemption_id: WholeNumber


class RedemptionHeld(RedemptionRecord):
    """Value is set aside until `held_until`; `movements` are in the order of consumption."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "redemption_id": 158,
        "profile_id": "p-1",
        "requested_minor": 1000,
        "total_minor": 1000,
        "strategies": ["rewards"],
        "strict": True,
        "held_until": "2026-02-10T00:15:00Z",
        "movements": [{"lot": 17, "from": "available", "to": "held", "amount_minor": 1000}],
    }

    held_until: datetime


class RedemptionCaptured(Event):
    """What was held is redeemed from now on; what was not taken of it is released."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "redemption_id": 158,
        "total_minor": 600,
        "released_minor": 400,
        "reversible_until": "2026-02-10T00:20:00Z",
        "movements": [
            {"lot": 17, "from": "held", "to": "redeemed", "amount_minor": 600},
            {"lot": 17, "from": "held", "to": "available", "amount_minor": 400},
        ],
    }

    redemption_id: int
    total_minor: int
    released_minor: int = 0
    reversible_until: datetime


class HoldEnded(Event, abstract=True):
    """Nothing was taken. Of a reward whose time has passed meanwhile, the value has expired."""

    redemption_id: int
    released_minor: int


class HoldReleased(HoldEnded):
    """What was held was let go."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "redemption_id": 158,
        "released_minor": 1000,
        "movements": [{"lot": 17, "from": "held", "to": "available", "amount_minor": 1000}],
    }


class HoldLapsed(HoldEnded):
    """The deadline came before a capture."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "redemption_id": 158,
        "released_minor": 1000,
        "held_until": "2026-02-10T00:15:00Z",
        "movements": [{"lot": 17, "from": "held", "to": "available", "amount_minor": 1000}],
    }

    held_until: datetime
