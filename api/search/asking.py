"""What is looked for, and one thing found."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, Literal

from api.services import Services
from api.tokens import Caller
from schemas.amounts import MINOR_MAX

Kind = Literal["profile", "transaction", "redemption", "reward", "request", "event"]
KINDS: Final[tuple[Kind, ...]] = (
    "profile",
    "transaction",
    "redemption",
    "reward",
    "request",
    "event",
)
"""In the order of what is equally good."""

OF_A_WAY_MAX: Final = 10
"""So many are shown that one way of looking finds."""

EXACT: Final = 1.0

_WHOLE: Final = re.compile("[1-9][0-9]{0,15}")


@dataclass(frozen=True)
class Asked:
    """A text, by whom it was asked, and what answers."""

    services: Services
    caller: Caller
    text: str

    @cached_property
    def number(self) -> int | None:
        """The number the text is, if it may be one of ours."""
        whole = _WHOLE.fullmatch(self.text) is not None
        return int(self.text) if whole and int(self.text) <= MINOR_MAX else None


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing the text may mean. `matched` says by which of its names."""

    kind: Kind
    id: int | str
    title: str
    detail: str
    profile_id: str | None
    matched: str
    score: float = EXACT

    def document(self) -> Mapping[str, Any]:
        """As an answer shows it."""
        return {
            "kind": self.kind,
            "id": self.id,
            "title": self.title,
            "detail": self.detail,
            "profile_id": self.profile_id,
            "matched": self.matched,
            "score": Decimal(f"{self.score:.2f}"),
        }
