"""Sums over the whole programme as the API shows them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from projections.statistics import Expiring, Flow, Flows, Outstanding, Sum
from schemas.amounts import from_minor

WEEK_DAYS = 7


def outstanding_document(
    found: Sequence[Outstanding], names: Mapping[int, Mapping[str, Any]], digits: int
) -> dict[str, Any]:
    """All that is outstanding, and the same by definition. `names` lacks what is not known yet."""
    return _amounts(found, digits) | {
        "definitions": [
            {
                "reward_definition_id": each.definition_id,
                "name": names.get(each.definition_id, {}).get("name"),
                "handle": names.get(each.definition_id, {}).get("handle"),
                **_amounts([each], digits),
            }
            for each in found
        ]
    }


def definition_document(
    row: Mapping[str, Any], found: Outstanding, flows: Flows, digits: int
) -> dict[str, Any]:
    """What is outstanding under one definition, and what ever became of its value."""
    return {
        "reward_definition_id": row["definition_id"],
        "name": row["name"],
        "handle": row["handle"],
        "outstanding": _amounts([found], digits),
        "all_time": flows_document(flows.sums, digits),
    }


def week_document(monday: date, flows: Flows, digits: int) -> dict[str, Any]:
    """One ISO week: its name, its days, and what became of value in it."""
    year, week, _ = monday.isocalendar()
    return {
        "week": f"{year}-W{week:02d}",
        "from": monday.isoformat(),
        "to": (monday + timedelta(days=WEEK_DAYS - 1)).isoformat(),
        **flows_document(flows.sums, digits),
    }


def flows_document(sums: Mapping[Flow, Sum], digits: int) -> dict[str, Any]:
    """What became of value, by way."""
    return {flow: sum_document(found, digits) for flow, found in sums.items()}


def calendar_document(days: Sequence[date], found: Expiring, digits: int) -> dict[str, Any]:
    """A sum for each day, and what stays beyond them."""
    return {
        "days": [
            {"day": day.isoformat(), **sum_document(expires, digits)}
            for day, expires in zip(days, found.periods, strict=True)
        ],
        "later": sum_document(found.later, digits),
        "never": sum_document(found.never, digits),
    }


def sum_document(found: Sum, digits: int) -> dict[str, Any]:
    """How many, and their value."""
    return {"count": found.count, "value": _money(found.minor, digits)}


def _amounts(found: Sequence[Outstanding], digits: int) -> dict[str, Any]:
    return {
        "count": sum(each.count for each in found),
        "value": _money(sum(each.total_minor for each in found), digits),
        "available": _money(sum(each.available_minor for each in found), digits),
        "pending": _money(sum(each.pending_minor for each in found), digits),
        "held": _money(sum(each.held_minor for each in found), digits),
    }


def _money(minor: int, digits: int) -> Decimal:
    return from_minor(minor, digits=digits)
