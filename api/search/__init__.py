"""One box for everything: whatever a text may name, best first."""

from api.search.answering import found_for
from api.search.asking import Asked

__all__ = ["Asked", "found_for"]
