"""Identities, as rules of a machine: attached, detached, passed on in merges, erased."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from properties.held_sales import PROFILE, WHICH, HeldSales

from ledger.account.state import Account
from ledger.commands.identities import IDENTITY
from schemas.commands import Command
from schemas.events import Event
from schemas.identities import AttachIdentity, DetachIdentity, IdentityAttached
from schemas.personal_data import ErasePersonalData

CARDS = [("card", "1"), ("card", "2"), ("card", "3"), ("shop", "1")]


class IdentifiedProfiles(HeldSales):
    """The rules, and what must hold of who has what."""

    def __init__(self) -> None:
        super().__init__()
        self.called: dict[int, tuple[Command, str]] = {}
        """The names beside commands, which have no identifiers any more, as after the edge."""

    def _brought(self, command: Command) -> dict[str, Any]:
        if isinstance(command, AttachIdentity):
            return {"identity": self.called[id(command)][1]}
        if isinstance(command, DetachIdentity):
            name = self.model.identities.name_of(command.identity_id)
            return {} if name is None else {"identities": {command.identity_id: name}}
        return {}

    @rule(profile=PROFILE, card=st.sampled_from(CARDS), first=st.booleans(), by=WHICH)
    def attach(self, profile: str, card: tuple[str, str], first: bool, by: int) -> None:
        name = ":".join(card)
        told = AttachIdentity(
            profile_id=profile, handle=card[0], identifier=card[1], is_primary=first
        )
        command = told.model_copy(update={"identifier": None})
        self.called[id(command)] = command, name

        def expected(events: tuple[Event, ...]) -> None:
            self.model.identities.check_free(name)
            made = [e.identity_id for e in events if isinstance(e, IdentityAttached)]
            owner = self.model.now_of(profile)
            self.model.identities.attach(owner, made[0] if made else -1, name, first=first)

        self._both(command, by, expected)

    @rule(profile=PROFILE, which=WHICH, by=WHICH)
    def detach(self, profile: str, which: int, by: int) -> None:
        numbers = [each["id"] for each in self.model.identities.known.values()] + [999_999]
        number = numbers[which % len(numbers)]
        owner = self.model.now_of(profile)
        command = DetachIdentity(profile_id=profile, identity_id=number)
        self._both(command, by, lambda _: self.model.identities.detach(owner, number))

    @rule(profile=PROFILE, by=st.integers(0, 3))
    def erase(self, profile: str, by: int) -> None:
        owner = self.model.now_of(profile)
        command = ErasePersonalData(profile_id=profile)
        self._both(command, by, lambda _: self.model.identities.erase(owner))

    @invariant()
    def each_name_is_one_profiles_and_each_identity_has_its_name(self) -> None:
        self._read_on()
        identities = self.model.identities
        for profile in self.model.accounts:
            account = self.states.get(f"account-{profile}", Account())
            assert isinstance(account, Account)
            if account.merged_into is None:
                found = {n: (i.handle, i.is_primary) for n, i in account.identities.items()}
                assert found == identities.of(profile)
        names = [(IDENTITY, ":".join(card)) for card in CARDS]
        claims = self.runner.run(self.store.claims(names))
        taken = {
            name: self.model.now_of(claim.stream_id.removeprefix("account-"))
            for (_, name), claim in claims.items()
        }
        assert taken == {name: each["profile"] for name, each in identities.known.items()}
