"""A command on its way through a queue of ours: what is personal in it goes along sealed.

The sealed text is good for the command of its name alone: whoever copies one from an event, or
from another command, gets nothing opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.event_store.port import EventStore
from ledger.personal.sealing import Unopenable
from ledger.personal.stripping import owners_of
from ledger.personal.vault import Vault
from schemas.commands import Command
from schemas.personal import overlay, split


@dataclass(frozen=True, slots=True)
class Packed:
    """A command without what is personal in it, which `personal` has."""

    command: Command
    personal: str | None = None


async def packed(command: Command, name: str, vault: Vault, store: EventStore) -> Packed:
    """A command as it may stand in a queue; `name` is its own, which nothing else there has."""
    rest, fields = split(command)
    if not fields:
        return Packed(command)
    (owner,) = await owners_of([command], store)
    sealed = await vault.sealed(owner, {"in_transit": name, "fields": fields})
    return Packed(rest, sealed.text)


async def unpacked(data: Mapping[str, Any], personal: str, name: str, vault: Vault) -> Any:
    """The command's data whole again; without what is personal, where that was erased meanwhile.

    Raises:
        Unopenable: it was not packed for the command of this name.
    """
    opened = (await vault.opened([personal]))[personal]
    if opened is None:
        return data
    if opened.get("in_transit") != name:
        raise Unopenable("it was not sealed for this command")
    whole = _copied(data)
    overlay(whole, opened["fields"], everywhere=True)
    return whole


def _copied(value: Any) -> Any:
    """A copy that may be written to, as deep as it goes."""
    if isinstance(value, Mapping):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list | tuple) else value
