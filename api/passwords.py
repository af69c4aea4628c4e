"""Passwords: hashed with Argon2id in threads, few at a time."""

import asyncio
import unicodedata
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

Result = TypeVar("Result")

AT_ONCE: Final = 2
"""Each takes a processor and 19 MiB for as long as it lasts."""
WAITING_MAX: Final = 32

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 200

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""A hash no password is known to have: whoever is unknown costs what everybody else does."""


class TooManyAtOnce(Exception):
    """More are waiting to have a password checked than is reasonable."""


class Passwords:
    """Hashes and checks passwords. The loop goes on meanwhile: hashing gives the lock free."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    @property
    def busy(self) -> bool:
        """Whether no more can wait."""
        return self._waiting >= WAITING_MAX

    async def hashed(self, password: str) -> str:
        """What is kept of a password.

        Raises:
            TooManyAtOnce: try again in a moment.
        """
        return await self._in_turn(lambda: _HASHER.hash(_bytes(password)))

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the password; None is nobody's, which takes as long to find out.

        Raises:
            TooManyAtOnce: try again in a moment.
        """
        return await self._in_turn(lambda: _fits(password, password_hash))

    async def _in_turn(self, work: Callable[[], Result]) -> Result:
        if self.busy:
            raise TooManyAtOnce
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def _fits(password: str, password_hash: str | None) -> bool:
    try:
        _HASHER.verify(password_hash or _NOBODYS, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def _bytes(password: str) -> bytes:
    # One password, whichever way a keyboard composes its letters; a browser may send anything.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
