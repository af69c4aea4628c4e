"""Whom an identity means: found as commands find it, or without a handle by what is indexed."""

from collections.abc import Sequence

from sqlalchemy import select

from api.problems import Refused
from api.queries import fetch, from_json
from api.reading import not_found, of_profile, profile_now
from api.services import Services
from ledger.personal.identified import IdentifiedProfiles
from ledger.personal.keys import ANONYMOUS
from ledger.personal.tokens import EMAIL
from projections.read_models import identities

_COLUMNS = identities.TABLE.c


async def profile_known_by(services: Services, identifier: str, handle: str | None) -> str:
    """The profile that has an identity.

    Raises:
        Refused: 404, nobody has it; 409, without a handle it may be several profiles.
    """
    found = await profiles_known_by(services, identifier, handle)
    if not found:
        raise not_found("profile")
    if len(found) > 1:
        raise Refused(
            409,
            "identity_ambiguous",
            None,
            "Several profiles are known by this, under different handles; name the handle.",
        )
    return found[0]


async def profiles_known_by(
    services: Services, identifier: str, handle: str | None = None
) -> Sequence[str]:
    """All it may mean; without a handle, under any."""
    named = (EMAIL if handle is None else handle, identifier)
    found = (await IdentifiedProfiles(services.vault, services.store)([named])).get(named)
    by_name = set() if found is None else {found}
    return sorted(by_name if handle is not None else by_name | await _indexed(services, identifier))


async def _indexed(services: Services, identifier: str) -> set[str]:
    """The index says who may be meant, and the opened identities who is."""
    hits = await services.vault.search("identity", identifier)
    owners = {each.owner for each in hits if not each.owner.startswith(ANONYMOUS)}
    candidates = {await profile_now(services, owner) for owner in sorted(owners)}
    return {each for each in candidates if await _is_known_by(services, each, identifier)}


async def _is_known_by(services: Services, profile_id: str, identifier: str) -> bool:
    try:
        await of_profile(services, identities.PROJECTION, profile_id)
    except Refused:
        return False  # an identity that was refused made nobody known
    statement = select(_COLUMNS.handle, _COLUMNS.personal).where(_COLUMNS.profile_id == profile_id)
    rows = [(row["handle"], from_json(row["personal"])) for row in await fetch(services, statement)]
    opened = await services.vault.opened([text for _, layers in rows for text in layers or ()])
    name_of = services.vault.identity_name
    return any(
        fields is not None and name_of(handle, fields["identifier"]) == name_of(handle, identifier)
        for handle, layers in rows
        for fields in map(opened.get, layers or ())
    )
