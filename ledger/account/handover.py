"""Two accounts in one append: a whole account merges into another, or one reward moves.

Of each lot all books leave for `transferred` on the giver's side and are issued into the same
books on the taker's, so that every lot balances on both, and the sum over all accounts is the same.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ledger.account.lots import Lot, lot_record
from ledger.account.sale_claims import claim_record
from ledger.account.state import Account, standing
from schemas.events import Event
from schemas.handover import IdentityRecord, LotHold, LotRecord
from schemas.movements import Book, Movement, moved
from schemas.profiles import (
    AccountPartHandedOver,
    AccountPartTakenOver,
    ProfileMerged,
    ProfileMergedAway,
)

PART_BYTES_MAX = 192 * 1024
"""What one event of a large account carries, about: it and its movements stay within an event."""

_MovementsOf = Callable[[int, Mapping[Book, int]], tuple[Movement, ...]]

_MOVEMENT_BYTES = 80
_ID_BYTES = 24


class BothSides(NamedTuple):
    """What is written to the giver's account, and to the taker's."""

    giver: tuple[Event, ...]
    taker: tuple[Event, ...]


def whole_account(giver: Account, taker: Account) -> BothSides:
    """Everything of one account, in as many events as its size asks for."""
    assert giver.profile_id is not None
    assert taker.profile_id is not None
    parts = list(_parts(_items(giver, taker)))
    given: list[Event] = []
    taken: list[Event] = []
    for number, part in enumerate(parts, start=1):
        kind = ProfileMergedAway if number == len(parts) else AccountPartHandedOver
        given.append(kind(into=taker.profile_id, **part.given()))
        if number == 1:
            fields = part.taken() | {"absorbed": giver.absorbed}
            taken.append(ProfileMerged(giver=giver.profile_id, **fields))
        else:
            taken.append(AccountPartTakenOver(giver=giver.profile_id, **part.taken()))
    return BothSides(tuple(given), tuple(taken))


def into_books(
    lot: Lot,
    before: Lot | None,
    amounts: Mapping[Book, int],
    holds: Mapping[int, LotHold] | None = None,
) -> LotRecord:
    """What the taker knows of a lot once these amounts are in its books.

    Where both accounts have had it, the one it came to last knows where it is.
    """
    books = dict({} if before is None else before.books)
    for book, amount in amounts.items():
        books[book] = books.get(book, 0) + amount
    newer = before if before is not None and before.moves > lot.moves else lot
    return lot_record(newer, {book: amount for book, amount in books.items() if amount}, holds)


def issued_into(lot_id: int, amounts: Mapping[Book, int]) -> tuple[Movement, ...]:
    """The taker's movements."""
    into = (moved(lot_id, Book.ISSUED, book, amount) for book, amount in amounts.items())
    return tuple(movement for each in into for movement in each)


def transferred(lot_id: int, amounts: Mapping[Book, int]) -> tuple[Movement, ...]:
    """The giver's movements; what had left a lot before stays where it is."""
    left = {book: amount for book, amount in amounts.items() if book is not Book.TRANSFERRED}
    out = (moved(lot_id, book, Book.TRANSFERRED, amount) for book, amount in left.items())
    return tuple(movement for each in out for movement in each)


@dataclass(frozen=True, slots=True)
class _Item:
    """One thing that passes: the field of the taker's event it stands in, and its size, about."""

    field: str
    value: Any
    size: int
    amounts: Mapping[Book, int] | None = None


def _items(giver: Account, taker: Account) -> Iterator[_Item]:
    of_giver, of_taker = _holds_by_lot(giver), _holds_by_lot(taker)
    for lot in giver.lots.values():
        amounts = {book: amount for book, amount in lot.books.items() if amount}
        holds = of_giver.get(lot.id, {}) | of_taker.get(lot.id, {})
        record = into_books(lot, taker.lots.get(lot.id), amounts, holds)
        size = len(record.model_dump_json()) + _MOVEMENT_BYTES * len(amounts)
        yield _Item("lots", record, size, amounts)
    for redemption in giver.redemptions.values():
        known = standing(redemption)
        yield _Item("redemptions", known, len(known.model_dump_json()))
    for number, redemption_id in giver.final_records.items():
        yield _Item("final_records", (number, redemption_id), _ID_BYTES)
    for external_id, made_for_it in giver.announcements.items():
        size = _ID_BYTES * len(made_for_it) + 6 * len(external_id)
        yield _Item("announcements", (external_id, made_for_it), size)
    for identity in _identities(giver, taker):
        yield _Item("identities", identity, len(identity.model_dump_json()))
    for claim in giver.sale_claims.values():
        told = claim_record(claim)
        yield _Item("sale_claims", told, len(told.model_dump_json()))
    for count in giver.issued_under.items():
        yield _Item("issued_under", count, _ID_BYTES)
    for sale in giver.transactions.items():
        yield _Item("transactions", sale, _ID_BYTES)


def _identities(giver: Account, taker: Account) -> Iterator[IdentityRecord]:
    """The taker's own stay primary."""
    firsts = {each.handle for each in taker.identities.values() if each.is_primary}
    for number, identity in giver.identities.items():
        primary = identity.is_primary and identity.handle not in firsts
        yield IdentityRecord(
            identity_id=number,
            handle=identity.handle,
            is_primary=primary,
            sealed=identity.sealed,
        )


def _holds_by_lot(account: Account) -> dict[int, dict[int, LotHold]]:
    found: dict[int, dict[int, LotHold]] = {}
    for number in account.holds:
        hold = account.redemptions[number].hold
        assert hold is not None
        for lot_id, amount in hold.parcels:
            part = LotHold(until=hold.until, amount_minor=amount)
            found.setdefault(lot_id, {})[number] = part
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """What goes into one event on each side."""

    items: Sequence[_Item]

    def given(self) -> dict[str, Any]:
        """The fields of the giver's event."""
        redemptions = [known.redemption_id for known in self._of("redemptions")]
        redemptions += [number for number, _ in self._of("final_records")]
        return {
            "rewards": tuple(record.reward_id for record in self._of("lots")),
            "redemptions": tuple(redemptions),
            "sale_claims": tuple(claim.claim_id for claim in self._of("sale_claims")),
            "identities": tuple(each.identity_id for each in self._of("identities")),
            "movements": self._movements(transferred),
        }

    def taken(self) -> dict[str, Any]:
        """The fields of the taker's event."""
        return {
            "lots": tuple(self._of("lots")),
            "redemptions": tuple(self._of("redemptions")),
            "final_records": dict(self._of("final_records")),
            "announcements": dict(self._of("announcements")),
            "sale_claims": tuple(self._of("sale_claims")),
            "identities": tuple(self._of("identities")),
            "issued_under": dict(self._of("issued_under")),
            "transactions": dict(self._of("transactions")),
            "movements": self._movements(issued_into),
        }

    def _of(self, field: str) -> list[Any]:
        return [item.value for item in self.items if item.field == field]

    def _movements(self, of_lot: _MovementsOf) -> tuple[Movement, ...]:
        lots = ((item.value.reward_id, item.amounts or {}) for item in self.items if item.amounts)
        return tuple(movement for lot_id, amounts in lots for movement in of_lot(lot_id, amounts))


def _parts(items: Iterable[_Item]) -> Iterator[_Part]:
    """At least one part, so that also nothing at all is handed over."""
    part: list[_Item] = []
    size = 0
    for item in items:
        if part and size + item.size > PART_BYTES_MAX:
            yield _Part(part)
            part, size = [], 0
        part.append(item)
        size += item.size
    yield _Part(part)
