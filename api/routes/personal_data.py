"""Personal data: erased on request, with a receipt."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from api.access import allowed
from api.commanding import submit
from api.paths import BASE, PathProfile
from api.route import LedgerRoute
from api.tokens import Caller
from schemas.personal_data import ErasePersonalData, PersonalDataErased
from schemas.times import utc_text

router = APIRouter(prefix=BASE, tags=["Profiles"], route_class=LedgerRoute)


@router.delete("/profiles/{profile_id}/personal-data")
async def erase(
    request: Request,
    profile_id: PathProfile,
    caller: Annotated[Caller, allowed("erase-personal-data")],
) -> Response:
    """Erase what is personal of a profile: unreadable everywhere, for good. Gives a receipt.

    Names, addresses, `meta` and reasons are null from then on; balances and history stay. Keep the
    receipt: after a restore from a backup it is what erases again.
    """
    answered = await submit(request, caller, ErasePersonalData(profile_id=profile_id))
    (erased,) = (each for each in answered.events if isinstance(each, PersonalDataErased))
    receipt = {
        "id": None if answered.dry_run else erased.erasure_id,
        "profile_id": erased.profile_id,
        "keys_destroyed": [str(key) for key in erased.keys],
        "at": utc_text(answered.at),
        "position": answered.position or None,
    }
    return answered.response(receipt)
