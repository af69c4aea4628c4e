"""Whom an e-mail means: who has it now, and nobody where that is not certain."""

from typing import Any

import pytest
from imports.imported import Ledger

from ledger.imports.profiles import OWNERS_MAX, IdentifiedProfiles
from ledger.personal.keys import MemoryKeys
from ledger.personal.stripping import stripped
from ledger.personal.vault import Vault
from ledger.rejections import ProfileExists
from ledger.submission import Submission
from schemas.commands import Command
from schemas.profiles import MergeProfiles
from schemas.registrations import ChangeProfile, RegisterProfile

ADA = ("email", "ada@example.org")


class Registry:
    """A ledger with a vault before it."""

    def __init__(self, ledger: Ledger, vault: Vault) -> None:
        self._ledger = ledger
        self._vault = vault

    async def do(self, command: Command) -> None:
        (without,) = await stripped([command], self._vault, self._ledger.store)
        submission = Submission(without.command, "till", "till", personal=without.personal)
        await self._ledger.committer.submit(submission)

    async def register(self, profile_id: str, **fields: Any) -> None:
        await self.do(RegisterProfile(profile_id=profile_id, **fields))

    async def found(self, identity: tuple[str, str] = ADA) -> str | None:
        profiles = await IdentifiedProfiles(self._vault, self._ledger.store)([identity])
        return profiles.get(identity)


@pytest.fixture
async def registry(ledger: Ledger) -> Registry:
    return Registry(ledger, await Vault.open(MemoryKeys()))


async def test_it_is_whoever_has_it_in_whatever_case(registry: Registry) -> None:
    await registry.register("p-ada", email="Ada@Example.org")
    assert await registry.found() == "p-ada"
    assert await registry.found(("email", "eve@example.org")) is None


async def test_nobody_where_two_have_it(registry: Registry) -> None:
    await registry.register("p-ada", email="ada@example.org")
    await registry.register("p-too", email="ada@example.org")
    assert await registry.found() is None


async def test_who_had_it_before_is_not_meant(registry: Registry) -> None:
    await registry.register("p-old", email="ada@example.org")
    await registry.do(ChangeProfile(profile_id="p-old", email="other@example.org"))
    assert await registry.found() is None
    await registry.register("p-ada", email="ada@example.org")
    assert await registry.found() == "p-ada"


async def test_a_refused_registration_gives_nobody_an_email(registry: Registry) -> None:
    await registry.register("p-eve", email="eve@example.org")
    with pytest.raises(ProfileExists):
        await registry.register("p-eve", email="ada@example.org")
    assert await registry.found() is None


async def test_two_who_became_one_are_one(registry: Registry) -> None:
    await registry.register("p-ada", email="ada@example.org")
    await registry.register("p-too", email="ada@example.org")
    await registry.do(MergeProfiles(winner="p-ada", loser="p-too"))
    assert await registry.found() == "p-ada"


async def test_nobody_where_too_many_had_it_to_look_at_each(registry: Registry) -> None:
    for number in range(OWNERS_MAX + 1):
        await registry.register(f"p-{number}", email="ada@example.org")
        if number:
            await registry.do(ChangeProfile(profile_id=f"p-{number}", email="other@example.org"))
    assert await registry.found() is None
