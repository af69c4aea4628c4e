"""As of when a page is: now, or a moment of the past that its address names."""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from console.formats import wall_time
from console.page import Page

Time = Literal["occurred", "recorded"]
_OF_A_FIELD: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
"""What a browser's field says: UTC, for its label says so. Seconds of zero are left out."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What `as_of` and `time` of an address say, as the API takes them."""

    as_of: str | None = None
    time: Time = "occurred"

    @property
    def parameters(self) -> dict[str, Any]:
        """For the API, and for links to other pages as of the same moment."""
        return {} if self.as_of is None else {"as_of": self.as_of, "time": self.time}

    @property
    def is_past(self) -> bool:
        """Whether a moment is named."""
        return self.as_of is not None


def moment_of(page: Page) -> Moment:
    """As of when a page is asked for. What is no moment is the API's to refuse."""
    asked = page.parameter("as_of")
    if asked is None:
        return Moment()
    time: Time = "recorded" if page.parameter("time") == "recorded" else "occurred"
    if _OF_A_FIELD.fullmatch(asked):
        asked = f"{wall_time(asked).replace(' ', 'T')}Z"
    return Moment(asked, time)
