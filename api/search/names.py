"""How much alike two names are, word by word: pure."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

SAME: Final = 0.95
"""What is less is no exact hit."""
BEGINS: Final = 0.85
ALIKE_MIN: Final = 0.75
"""What two words must have in common: one wrong letter of four, or two that have changed places."""
BEGINNING_MIN: Final = 2


def likeness(asked: Sequence[str], name: Sequence[str]) -> float:
    """How well the words asked for fit a name, in any order; 0 where one of them fits nothing."""
    fits = [max((_fit(word, each) for each in name), default=0.0) for word in asked]
    return 0.0 if not fits or min(fits) == 0 else sum(fits) / len(fits)


def _fit(asked: str, word: str) -> float:
    if asked == word:
        return SAME
    if len(asked) >= BEGINNING_MIN and word.startswith(asked):
        return BEGINS
    alike = SequenceMatcher(None, asked, word, autojunk=False).ratio()
    return alike * BEGINS if alike >= ALIKE_MIN else 0.0
