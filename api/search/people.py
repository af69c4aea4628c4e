"""Profiles by their id, their identities, and what else is personal.

Keyed tokens name whom to look at, and only what stands in a profile now decides: what was, what was
refused and what is erased finds nobody.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select

from api.personal import shown
from api.profile_names import profiles_known_by
from api.queries import fetch
from api.reading import plain
from api.search.asking import EXACT, OF_A_WAY_MAX, Asked, Hit
from api.search.names import likeness
from api.services import Services
from ledger.personal.keys import ANONYMOUS
from ledger.personal.tokens import Kind, name_words
from ledger.streams import account_stream
from projections.read_models import profiles
from schemas.personal import Fields
from schemas.profiles import ProfileId
from schemas.registrations import PersonalDetails

CANDIDATES_MAX: Final = 50
WORDS_MAX: Final = 5
DIGITS_MIN: Final = 5
"""A shorter number is no telephone's."""
_PHONE_SIGNS: Final = frozenset("+-()/. ")

EMAIL: Final = 0.99
IDENTITY: Final = 0.985
PHONE: Final = 0.98
PHONE_END: Final = 0.9

_ID: Final = TypeAdapter(ProfileId)


@dataclass(frozen=True, slots=True)
class Person:
    """A profile as it is now, its personal fields open."""

    row: Mapping[str, Any]
    fields: Fields

    def texts(self, kind: Kind) -> list[str]:
        """What it is found by, of one kind."""
        names = (name for name, of in PersonalDetails.SEARCHED.items() if of == kind)
        return [text for name in names if isinstance(text := self.fields.get(name), str)]


async def found(asked: Asked) -> Sequence[Hit]:
    """The profiles a text may mean."""
    ways = _ways(asked.text)
    named = _id_of(asked.text)
    owners = {} if named is None else {named: None}
    for kind in ways:
        entries = await asked.services.vault.search(kind, asked.text, CANDIDATES_MAX)
        owners |= {e.owner: None for e in entries if not e.owner.startswith(ANONYMOUS)}
    known: Sequence[str] = ()
    if asked.caller.may("read-identities"):
        known = await profiles_known_by(asked.services, asked.text)
        owners |= dict.fromkeys(known)
    hits = []
    for owner, person in (await _people(asked.services, list(owners))).items():
        matches = [_match(asked, kind, person) for kind in ways]
        matches += [("id", EXACT)] if owner == named else []
        matches += [("identity", IDENTITY)] if owner in known else []
        matched, score = max(matches, key=lambda match: match[1], default=("", 0.0))
        if score:
            hits.append(_hit(person, matched, score))
    return sorted(hits, key=lambda hit: -hit.score)[: 2 * OF_A_WAY_MAX]


def _ways(text: str) -> list[Kind]:
    """By what a text may be meant to find somebody."""
    if "@" in text:
        return ["email"]
    digits = sum(each.isdecimal() for each in text)
    if digits >= DIGITS_MIN and all(each.isdecimal() or each in _PHONE_SIGNS for each in text):
        return ["phone"]
    return ["name"] if 0 < len(name_words(text)) <= WORDS_MAX else []


def _id_of(text: str) -> str | None:
    try:
        return _ID.validate_python(text)
    except ValidationError:
        return None


async def _people(services: Services, owners: Collection[str]) -> dict[str, Person]:
    """The profiles there are of these, each no older than the last event of its account."""
    if not owners:
        return {}
    await services.reads.catch_up_many(profiles.PROJECTION, [account_stream(o) for o in owners])
    table = profiles.TABLE
    rows = await fetch(services, select(*table.c).where(table.c.profile_id.in_(owners)))
    people = {row["profile_id"]: plain(table, row) for row in rows}
    layers = {owner: row["personal"] or () for owner, row in people.items()}
    sealed = [each for some in layers.values() for each in some if isinstance(each, str)]
    opened = await services.vault.opened(sealed) if sealed else {}
    return {owner: Person(row, shown(layers[owner], opened)[0]) for owner, row in people.items()}


def _match(asked: Asked, kind: Kind, person: Person) -> tuple[str, float]:
    tokens = asked.services.vault.tokenizer.tokens
    texts = person.texts(kind)
    if kind == "name":
        words = [word for text in texts for word in name_words(text)]
        return "name", likeness(name_words(asked.text), words)
    wanted = tokens(kind, asked.text)
    if any(tokens(kind, text) == wanted for text in texts):
        return kind, EMAIL if kind == "email" else PHONE
    same_end = kind == "phone" and any(tokens(kind, text) & wanted for text in texts)
    return kind, PHONE_END if same_end else 0.0


def _hit(person: Person, matched: str, score: float) -> Hit:
    row = person.row
    profile_id, into = row["profile_id"], row["merged_into"]
    if into is not None:
        state = f"merged into {into}"
    else:
        state = row["type"] if row["deleted_at"] is None else "deleted"
    name = " ".join(person.texts("name"))
    return Hit("profile", profile_id, name or profile_id, state, into or profile_id, matched, score)
