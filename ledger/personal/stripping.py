"""At the edge: what is personal leaves a command, sealed under the key of whom it is about."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Final
from uuid import UUID

from ledger.claims import likely_names
from ledger.event_store.port import EventStore
from ledger.personal.erasing import erasable_keys
from ledger.personal.keys import nobody
from ledger.personal.naming import name_let_go, resolved
from ledger.personal.sealing import DataKey
from ledger.personal.tokens import Kind
from ledger.personal.vault import Sealed, Vault
from ledger.streams import account_stream, fold_whole
from ledger.transactions.state import TRANSACTION_PREFIX, Transaction, transaction_stream
from schemas.commands import Command
from schemas.identities import AttachIdentity, DetachIdentity
from schemas.immutable import immutable
from schemas.personal import Fields, split
from schemas.personal_data import ErasePersonalData

ACCOUNT_PREFIX: Final = account_stream("")


@immutable
class Stripped:
    """A command without what is personal, which `personal` has sealed; `key` opens it."""

    command: Command
    personal: str | None = None
    key: DataKey | None = None
    erasable: tuple[UUID, ...] = ()
    """The keys that it asks to destroy, where it asks for an erasure."""
    identity: str | None = None
    """The name under which the identity it tells is unique."""
    identities: Mapping[int, str | None] = field(default_factory=dict)
    """The same of the one it lets go of, by its id; None where nobody can read it."""


async def stripped(
    commands: Sequence[Command], vault: Vault, store: EventStore, *, dry_run: bool = False
) -> list[Stripped]:
    """Commands as they may go on. Those without anything personal cost no look anywhere.

    A dry run is sealed under keys that are kept nowhere. What a profile is found by is written
    before the command is decided: should it be refused, a hit shows nothing that wasn't said.
    """
    parts = [split(command) for command in await resolved(commands, vault, store)]
    with_fields = [(command, fields) for command, fields in parts if fields]
    if not with_fields:
        sealed: Sequence[Sealed] = ()
    elif dry_run:
        sealed = [vault.rehearsed(fields) for _, fields in with_fields]
    else:
        sealed = await _sealed(with_fields, vault, store)
    following = iter(sealed)
    found: list[Stripped] = []
    for command, fields in parts:
        of_it = next(following) if fields else None
        without = Stripped(command)
        if of_it is not None:
            without = Stripped(command, of_it.text, of_it.key)
        found.append(await _with_names(without, fields, vault, store))
    return found


async def _with_names(
    without: Stripped, fields: Fields, vault: Vault, store: EventStore
) -> Stripped:
    """What only the edge can tell a decision of keys and of identities."""
    match without.command:
        case ErasePersonalData(profile_id=profile_id):
            return replace(without, erasable=await erasable_keys(profile_id, vault, store))
        case AttachIdentity(handle=handle):
            return replace(without, identity=vault.identity_name(handle, fields["identifier"]))
        case DetachIdentity():
            return replace(without, identities=await name_let_go(without.command, vault, store))
    return without


async def _sealed(
    parts: Sequence[tuple[Command, Fields]], vault: Vault, store: EventStore
) -> Sequence[Sealed]:
    owners = await owners_of([command for command, _ in parts], store)
    sealed = await vault.all_sealed(
        [(owner, fields) for owner, (_, fields) in zip(owners, parts, strict=True)]
    )
    for owner, (command, fields), found in zip(owners, parts, sealed, strict=True):
        texts = _searched(command, fields)
        if texts:
            await vault.index(owner, found.key.key_id, texts)
    return sealed


def _searched(command: Command, fields: Fields) -> list[tuple[Kind, str]]:
    found: list[tuple[Kind, str]] = []
    for name, kind in command.SEARCHED.items():
        text = fields.get(name)
        if isinstance(text, str):
            found.append((kind, text))
    return found


async def owners_of(commands: Sequence[Command], store: EventStore) -> list[str]:
    """Whom each is about: the profile it names, or whoever holds what it names, or nobody."""
    names = {
        name
        for command in commands
        if getattr(command, "profile_id", None) is None
        for name in likely_names(command)
    }
    claims = await store.claims(sorted(names)) if names else {}
    holders = {name: claim.stream_id for name, claim in claims.items()}
    return [await _owner(command, holders, store) for command in commands]


async def _owner(command: Command, holders: dict[tuple[str, str], str], store: EventStore) -> str:
    profile_id: str | None = getattr(command, "profile_id", None)
    if getattr(command, "profile_id_handle", None) is not None:
        return nobody()
    if profile_id is not None:
        return profile_id
    held = [holders[name] for name in likely_names(command) if name in holders]
    for stream_id in held:
        if stream_id.startswith(ACCOUNT_PREFIX):
            return stream_id.removeprefix(ACCOUNT_PREFIX)
    sales = [stream_id for stream_id in held if stream_id.startswith(TRANSACTION_PREFIX)]
    number = getattr(command, "transaction_id", None) or getattr(command, "id", None)
    if number is not None:
        sales.append(transaction_stream(number))
    for stream_id, history in (await store.read_streams(sales[:1])).items() if sales else ():
        sale = fold_whole(stream_id, history)
        if isinstance(sale, Transaction) and sale.profile_id is not None:
            return sale.profile_id
    return nobody()
