"""A believable loyalty programme over two years, made up from a seed: pure, no clock and no I/O.

Every name is invented, every e-mail address is of a domain nobody can have.
"""

from app.demo.programme.definitions import KINDS
from app.demo.programme.plan import TWO_YEARS, plan
from app.demo.programme.steps import Made, Step
from app.demo.programme.story import CLIENTS, PROGRAMME

HANDLES = frozenset(kind.handle for kind in KINDS)

__all__ = ["CLIENTS", "HANDLES", "PROGRAMME", "TWO_YEARS", "Made", "Step", "plan"]
