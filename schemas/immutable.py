"""Classes of values, which never change once they are made.

The type checker holds that, over all the code. At run time they are plain classes with slots:
Python's own guard takes four times as long to make one, and a command makes dozens of them.
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def immutable(cls: type[T]) -> type[T]:
    """A dataclass whose fields nobody assigns to: `dataclass(frozen=True, slots=True)`, cheaper."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
