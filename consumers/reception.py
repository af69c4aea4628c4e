"""From a command as it arrived to what the committer takes: fingerprinted, and sealed."""

import base64
import re
from collections.abc import Sequence
from dataclasses import replace

from consumers.command_records import Received, Unread
from consumers.known_commands import NotUnderstood, Read
from ledger.event_store.port import EventStore
from ledger.fingerprints import fingerprint
from ledger.personal.in_transit import unpacked
from ledger.personal.keys import nobody
from ledger.personal.sealing import Unopenable
from ledger.personal.stripping import stripped
from ledger.personal.vault import Vault
from ledger.rejections import Rejection
from ledger.submission import Submission
from schemas.profiles import PROFILE_ID_PATTERN

CLIENT = "kafka:"
"""Before a topic's source: its names for commands are no HTTP client's."""


class SealingReception:
    """What is personal in a command goes no further than here in clear."""

    def __init__(self, vault: Vault, store: EventStore) -> None:
        self._vault = vault
        self._store = store

    async def whole(self, received: Received) -> Received:
        """A command of our own queue with what is personal in it, which came sealed.

        Raises:
            NotUnderstood: it was sealed for another command.
        """
        if received.personal is None:
            return received
        name = f"{received.source} {received.id}"
        try:
            data = await unpacked(received.data, received.personal, name, self._vault)
        except Unopenable:
            detail = "Only the ledger's own queue seals what is personal: send it as it is."
            raise NotUnderstood("validation_failed", detail) from None
        return replace(received, data=data)

    async def submissions(
        self, arrived: Sequence[tuple[Received, Read]]
    ) -> Sequence[Submission | Rejection]:
        """One each, in order. Whoever waits at a till goes before them."""
        commands = [read.command for _, read in arrived]
        without = await stripped(commands, self._vault, self._store)
        return [
            Submission(
                command=each.command,
                client=f"{CLIENT}{received.topic_source}",
                actor=f"{CLIENT}{received.topic_source}",
                key=f"{received.source} {received.id}",
                fingerprint=fingerprint(read.command, self._vault.fingerprint_key),
                patient=True,
                personal=each.personal,
                identity=each.identity,
                identities=each.identities,
                occurred_at=read.occurred_at,
            )
            for (received, read), each in zip(arrived, without, strict=True)
        ]

    async def sealed(self, unread: Unread) -> str:
        """The value, under the key of the profile its record's key names, if it names one."""
        key = (unread.key or b"").decode(errors="replace")
        owner = key if re.fullmatch(PROFILE_ID_PATTERN, key) else nobody()
        value = {"value": base64.b64encode(unread.value).decode()}
        return (await self._vault.sealed(owner, value)).text
