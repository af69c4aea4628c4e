"""Whom an e-mail means: who has it now, and nobody where that is not certain."""

from collections.abc import Mapping
from typing import Any

import pytest
from imports.imported import Ledger

from ledger.personal.identified import OWNERS_MAX, IdentifiedProfiles, Identity
from ledger.personal.keys import MemoryKeys
from ledger.personal.stripping import stripped
from ledger.personal.vault import Vault
from ledger.rejections import ProfileExists
from ledger.submission import Submission
from schemas.commands import Command
from schemas.identities import AttachIdentity
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
        submission = Submission(
            without.command, "till", "till", personal=without.personal, identity=without.identity
        )
        await self._ledger.committer.submit(submission)

    async def register(self, profile_id: str, **fields: Any) -> None:
        await self.do(RegisterProfile(profile_id=profile_id, **fields))

    async def found(self, identity: tuple[str, str] = ADA) -> str | None:
        return (await self.all_found([identity])).get(identity)

    async def all_found(self, identities: list[Identity]) -> Mapping[Identity, str]:
        return await IdentifiedProfiles(self._vault, self._ledger.store)(identities)

    async def attach(self, profile_id: str, handle: str, identifier: str) -> None:
        told = {"profile_id": profile_id, "handle": handle, "identifier": identifier}
        await self.do(AttachIdentity.model_validate(told))

    def count_looks(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """It has one entry for each look at the index from now on, with how many it was for."""
        looks: list[int] = []
        find_each = self._vault.keys.find_each

        async def counted(kind: str, tokens: Any, limit: int) -> Any:
            looks.append(len(tokens))
            return await find_each(kind, tokens, limit)

        monkeypatch.setattr(self._vault.keys, "find_each", counted)
        return looks


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


async def test_an_identity_comes_before_the_email_of_a_profile(registry: Registry) -> None:
    await registry.register("p-ada", email="ada@example.org")
    await registry.attach("p-card", *ADA)
    assert await registry.found() == "p-card"


async def test_an_identity_of_who_became_another_means_that_one(registry: Registry) -> None:
    await registry.attach("p-old", "card", "7")
    await registry.register("p-new")
    await registry.register("p-last")
    await registry.do(MergeProfiles(winner="p-new", loser="p-old"))
    await registry.do(MergeProfiles(winner="p-last", loser="p-new"))
    assert await registry.found(("card", "7")) == "p-last"


async def test_however_many_are_asked_for_the_index_is_looked_at_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [("email", f"{n}@example.org") for n in range(50)]
    for n in range(0, 50, 10):
        await registry.register(f"p-{n}", email=f"{n}@example.org")
    looks = registry.count_looks(monkeypatch)
    found = await registry.all_found(wanted)
    assert found == {("email", f"{n}@example.org"): f"p-{n}" for n in range(0, 50, 10)}
    assert len(looks) == 1
