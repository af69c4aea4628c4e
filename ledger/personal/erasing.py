"""Erasure: which keys it takes, and their destruction once the log has recorded it.

The log comes first: cut off in between, an erasure is finished by whoever repeats it, and by every
process that starts. So no receipt stands for keys that still live for long.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from ledger.account.state import Account
from ledger.event_store.port import EventStore
from ledger.personal.keys import PersonalKeys
from ledger.personal.sealing import key_id_of
from ledger.personal.vault import Vault
from ledger.streams import account_stream, event_of, fold_whole
from ledger.submission import Accepted, Answer
from ledger.transactions.state import Transaction, transaction_stream
from schemas.envelope import Recorded
from schemas.personal_data import PersonalDataErased
from schemas.transactions import TransactionAttached

STREAMS_MAX: Final = 500
"""So many transactions are looked through at once."""
KEYS_MAX: Final = 10_000


async def erasable_keys(profile_id: str, vault: Vault, store: EventStore) -> tuple[UUID, ...]:
    """The living keys of a profile and of those that became it, with those of its sales.

    A sale of nobody's had a key of its own; whose it is by now, the log alone knows for certain.
    """
    owners, sales = await _owners_and_sales(profile_id, store)
    used: set[UUID] = set()
    streams = sorted(sales)
    for start in range(0, len(streams), STREAMS_MAX):
        some = streams[start : start + STREAMS_MAX]
        for stream_id, history in (await store.read_streams(some)).items():
            sale = fold_whole(stream_id, history)
            if isinstance(sale, Transaction) and sale.profile_id in owners:
                used |= set(_keys_in(history))
    return tuple(await vault.keys.living(sorted(owners), used))


async def carry_out(answer: Answer, keys: PersonalKeys) -> None:
    """Destroy the keys of the erasures that an answer tells of. Again is fine."""
    if isinstance(answer, Accepted) and not answer.dry_run:
        erased = [each for _, each in answer.written if isinstance(each, PersonalDataErased)]
        if erased:
            await destroy_all((key for each in erased for key in each.keys), keys)


async def destroy_all(key_ids: Iterable[UUID], keys: PersonalKeys) -> int:
    """Destroy as many keys as there may be; how many of them still lived."""
    wanted = list(dict.fromkeys(key_ids))
    done = 0
    for start in range(0, len(wanted), KEYS_MAX):
        done += len(await keys.destroy(wanted[start : start + KEYS_MAX]))
    return done


async def _owners_and_sales(profile_id: str, store: EventStore) -> tuple[set[str], set[str]]:
    """Everybody whose data it is, and the streams of all sales their accounts ever noted."""
    owners: set[str] = set()
    sales: set[str] = set()
    ahead = [profile_id]
    while ahead:
        owner = ahead.pop()
        if owner in owners:
            continue
        owners.add(owner)
        stream_id = account_stream(owner)
        history = (await store.read_streams([stream_id]))[stream_id]
        account = fold_whole(stream_id, history)
        if isinstance(account, Account):
            ahead.extend(_same_person(account))
        sales |= set(_sales_in(history))
    return owners, sales


def _same_person(account: Account) -> Collection[str]:
    """The profiles that became this one, and the one it has become."""
    merged_into = () if account.merged_into is None else (account.merged_into,)
    return (*account.absorbed, *merged_into)


def _sales_in(history: Sequence[Recorded]) -> Iterator[str]:
    for recorded in history:
        event = event_of(recorded)
        if isinstance(event, TransactionAttached):
            yield transaction_stream(event.transaction_id)


def _keys_in(history: Sequence[Recorded]) -> Iterator[UUID]:
    for recorded in history:
        sealed = event_of(recorded).personal
        if sealed is not None:
            yield key_id_of(sealed)
