"""A profile: what it has, what will be consumed next, why, and how it came about."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from starlette.responses import Response

from console import charts
from console.actions import offered
from console.formats import instant
from console.ledger_api import Answer
from console.live import seal, seen_of_profile
from console.moments import Moment, moment_of
from console.page import Page, page

SHOWN_NEXT: Final = 12
SHOWN_EVENTS: Final = 25
LOOKED_THROUGH: Final = 200
"""Of so many events a page shows those of one kind."""
SHOWN_LISTED: Final = 5
MONTHS: Final = 12
EXPIRING_MAX: Final = 200
KINDS: Final = {
    "rewards": ("Reward", "Profile"),
    "redemptions": ("Redemption", "Hold"),
    "transactions": ("Transaction", "Attached", "Goods"),
}


async def profile(page_: Page) -> Response:
    """The whole page, now or as of a moment."""
    name, moment = page_.part("profile_id"), moment_of(page_)
    ledger, when = page_.ledger, moment.parameters
    found = await ledger.get(f"/profiles/{name}")
    if found.data["id"] != name:
        return page_.go(f"/profiles/{found.data['id']}", merged_from=name, **when)
    path = f"/profiles/{name}"
    balances, lots, history, identities, redemptions, sales = await asyncio.gather(
        ledger.get(f"{path}/balances", **when),
        _lots(page_, path, moment),
        _history(page_, path, moment),
        ledger.find(f"{path}/identities"),
        ledger.find(f"{path}/redemptions", **when, **{"page[size]": SHOWN_LISTED}),
        ledger.find(f"{path}/transactions", **{"page[size]": SHOWN_LISTED}),
    )
    return page_.show(
        "profile.html",
        profile=found.data,
        name=_called(found.data),
        moment_=moment,
        is_before=_is_before(found.data["created_at"], moment),
        balances=balances.data,
        position=balances.position,
        since=seal(seen_of_profile(balances)),
        lots=lots.data[:SHOWN_NEXT] if lots else [],
        more_lots=bool(lots and len(lots.data) > SHOWN_NEXT),
        history=history,
        kind=page_.parameter("kind") or "",
        kinds=list(KINDS),
        identities=identities.data if identities else [],
        redemptions=redemptions.data if redemptions else [],
        sales=sales.data if sales and not moment.is_past else [],
        actions=offered(page_, "profile"),
        slider=_slider(found.data["created_at"], moment),
        merged_from=next(
            (each for each in found.data["absorbed"] if each == page_.parameter("merged_from")),
            None,
        ),
        done=page_.done(),
    )


async def why(page_: Page) -> Response:
    """Why a number is what it is: each reward behind it, with the steps that led there."""
    name, moment = page_.part("profile_id"), moment_of(page_)
    number = page_.parameter("number") or "available"
    size, at = 20, page_.parameter("page") or 1
    found, balances = await asyncio.gather(
        page_.ledger.get(
            f"/profiles/{name}/balances/explain",
            number=number,
            **moment.parameters,
            **{"page[size]": size, "page[number]": at},
        ),
        page_.ledger.get(f"/profiles/{name}/balances", **moment.parameters),
    )
    fields = {
        "available": "reward_balance",
        "pending": "pending_reward_balance",
        "held": "held_reward_balance",
    }
    return page_.show(
        "why.html",
        profile_id=name,
        which=number,
        numbers=list(fields),
        amount=balances.data[fields.get(number, "reward_balance")],
        lots=found.data,
        meta=found.meta,
        moment_=moment,
    )


async def expiry_chart(page_: Page) -> Response:
    """What expires when, by the month."""
    name, moment = page_.part("profile_id"), moment_of(page_)
    lots = await _lots(page_, f"/profiles/{name}", moment, EXPIRING_MAX)
    by_month = dict.fromkeys(_months(moment), 0.0)
    for lot in lots.data if lots else ():
        month = lot["expires_at"][:7] if lot["expires_at"] else "never"
        month = month if month in by_month or month == "never" else "later"
        by_month[month] = by_month.get(month, 0.0) + float(lot["available"])
    return charts.bars(list(by_month), {"Expires": list(by_month.values())})


def _months(moment: Moment) -> list[str]:
    """The month of the moment and the eleven after it."""
    at = instant(moment.as_of) if moment.as_of else datetime.now(UTC)
    ahead = [at.year * MONTHS + at.month - 1 + n for n in range(MONTHS)]
    return [f"{each // MONTHS}-{each % MONTHS + 1:02d}" for each in ahead]


async def _lots(
    page_: Page, path: str, moment: Moment, count: int = SHOWN_NEXT + 1
) -> Answer | None:
    """What will be consumed, in its order: from the read model now, from the log for the past."""
    if moment.is_past:
        return await page_.ledger.find(
            f"{path}/balances/explain", **moment.parameters, **{"page[size]": count}
        )
    found, definitions = await asyncio.gather(
        page_.ledger.find(f"{path}/rewards/expiry-order", **{"page[size]": count}),
        page_.ledger.find("/rewards/definitions", **{"page[size]": 200}),
    )
    if found is None:
        return None
    names = {each["id"]: each for each in definitions.data} if definitions else {}
    for lot in found.data:
        lot["definition"] = names.get(lot["reward_definition_id"])
        lot["available"], lot["held"] = lot["value_available"], lot["value_held"]
    return found


async def _history(page_: Page, path: str, moment: Moment) -> dict[str, Any] | None:
    """A page of what has happened, the newest first."""
    at, wanted = page_.parameter("page") or 1, KINDS.get(page_.parameter("kind") or "", ())
    found = await page_.ledger.find(
        f"{path}/history",
        newest="true",
        **moment.parameters,
        **{"page[size]": LOOKED_THROUGH if wanted else SHOWN_EVENTS, "page[number]": at},
    )
    if found is None:
        return None
    entries = [each for each in found.data if not wanted or each["type"].startswith(wanted)]
    return {"entries": entries, **found.meta}


def _is_before(created_at: str, moment: Moment) -> bool:
    """Whether the profile was not there yet."""
    try:
        return moment.as_of is not None and instant(moment.as_of) < instant(created_at)
    except ValueError:
        return False


def _called(profile_: dict[str, Any]) -> str:
    names = (profile_.get("first_name"), profile_.get("last_name"))
    return " ".join(filter(None, names)) or profile_["id"]


def _slider(created_at: str, moment: Moment) -> dict[str, int]:
    """From the profile's first second to this one."""
    now = int(datetime.now(UTC).timestamp())
    first = int(instant(created_at).timestamp())
    at = now
    if moment.as_of is not None:
        try:
            at = int(instant(moment.as_of).timestamp())
        except ValueError:
            at = now
    return {"first": min(first, at), "last": now, "at": min(max(at, first), now)}


ROUTES: Final = (
    page("/profiles/{profile_id}", profile, scope="read-profiles"),
    page("/charts/expiry/profiles/{profile_id}", expiry_chart, scope="read-rewards"),
    page("/profiles/{profile_id}/why", why, scope="read-ledgers"),
)
