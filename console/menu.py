"""The ways from everywhere: what stands in the head of each page, for those who may go there."""

from typing import Final, NamedTuple


class Way(NamedTuple):
    """An entry of the menu."""

    title: str
    path: str
    scope: str


MENU: Final = (
    Way("Definitions", "/definitions", "read-reward-definitions"),
    Way("Programme", "/programme", "read-programme"),
    Way("Imports", "/imports", "read-imports"),
    Way("Operations", "/operations", "read-operations"),
    Way("Access", "/access", "manage-access"),
)
