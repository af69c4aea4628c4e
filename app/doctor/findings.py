"""What a check found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing; `remedy` says how to mend it when it is not ok."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
