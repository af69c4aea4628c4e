"""Identities, told a second time from the rules: who has what, and which comes first."""

from typing import Any

from properties.model import Refused


class IdentitiesModel:
    """Each name is one profile's; names are told by handle and identifier."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}

    def of(self, profile: str) -> dict[int, tuple[str, bool]]:
        """What a profile is known by: its handle, and whether it comes first."""
        mine = [each for each in self.known.values() if each["profile"] == profile]
        return {each["id"]: (each["handle"], each["first"]) for each in mine}

    def name_of(self, number: int) -> str | None:
        """The name of an identity that is there."""
        return next((name for name, each in self.known.items() if each["id"] == number), None)

    def check_free(self, name: str) -> None:
        if name in self.known:
            raise Refused("identity_taken")

    def attach(self, profile: str, number: int, name: str, *, first: bool) -> None:
        """One more; the others of its handle give way if it is to come first."""
        handle = name.split(":", maxsplit=1)[0]
        alike = [
            each
            for each in self.known.values()
            if (each["profile"], each["handle"]) == (profile, handle)
        ]
        first = first or not alike
        for each in alike if first else ():
            each["first"] = False
        self.known[name] = {"profile": profile, "id": number, "handle": handle, "first": first}

    def detach(self, profile: str, number: int) -> None:
        """Gone, and free."""
        name = self.name_of(number)
        if name is None or self.known[name]["profile"] != profile:
            raise Refused("identity_not_found")
        del self.known[name]

    def merge(self, winner: str, loser: str) -> None:
        """All pass; the winner's own stay first."""
        firsts = {handle for handle, first in self.of(winner).values() if first}
        for each in self.known.values():
            if each["profile"] == loser:
                each["first"] = each["first"] and each["handle"] not in firsts
                each["profile"] = winner

    def erase(self, profile: str) -> None:
        """Nothing is left to be known by."""
        self.known = {n: each for n, each in self.known.items() if each["profile"] != profile}
