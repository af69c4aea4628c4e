"""The garbage collector, told what kind of process this is.

A process holds a large heap that lives on (modules, models, folded states) and makes much that
dies young. By default Python walks all of it again and again: decisions took three times as long.
"""

import gc

YOUNG_OBJECTS = 50_000
"""New containers before the youngest are looked at."""
YOUNG_ROUNDS, MIDDLE_ROUNDS = 20, 50
"""Rounds of one generation before the next is looked at too."""


def settle() -> None:
    """What is there after the start stays; look at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_ROUNDS, MIDDLE_ROUNDS)
