"""What a dry run has shown, in the words of its preview."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from console.formats import Formats

Told = Sequence[tuple[str, Any]]


def left_of(made: Mapping[str, Any]) -> Decimal:
    """What of a redemption was not given back."""
    return Decimal(made["total"]) - Decimal(made["returned"])


def released(data: Any, formats: Formats) -> Told:
    """What a hold lets go of."""
    return [
        ("Released", formats.money(data["released"])),
        ("Redeemed", formats.money(data["total"])),
    ]


def reward(data: Any, formats: Formats) -> Told:
    """What a reward would be."""
    definition = data.get("definition") or {}
    return [
        ("Reward", definition.get("name") or data["reward_definition_id"]),
        ("Profile", data["profile_id"]),
        ("Worth at first", formats.money(data["value_initial"])),
        ("Remains", formats.money(data["value_remaining"])),
        ("Expires", formats.day(data["expires_at"], data["timezone"])),
    ]


def rewards(data: Any, formats: Formats) -> Told:
    """Several rewards."""
    return [each for one in data for each in reward(one, formats)]


def redemption(data: Any, formats: Formats) -> Told:
    """What is taken, and from which rewards."""
    items = [(f"From reward {item['id']}", formats.money(item["value"])) for item in data["items"]]
    return [("Redeemed", formats.money(data["total"])), *items]


def given_back(data: Any, formats: Formats) -> Told:
    """What comes back, and how."""
    told: list[tuple[str, Any]] = [("Given back", formats.money(data["total"]))]
    if data.get("policy"):
        told.append(("Policy", data["policy"]))
    if data.get("forfeited"):
        told.append(("Forfeited", formats.money(data["forfeited"])))
    for each in data.get("reissued") or ():
        told.append(("A new reward", formats.money(each["value"])))
        told.append(("which expires", formats.day(each["expires_at"])))
    return told


def profile(data: Any, _: Formats) -> Told:
    """Who a profile would be."""
    return [("Profile", data["id"]), ("with all of", ", ".join(data["absorbed"]))]


def sale(data: Any, formats: Formats) -> Told:
    """A sale, with what is redeemed for it."""
    return [
        ("Sale", data["external_id"] or data["id"]),
        ("Total", formats.money(data["total"])),
        ("Redeemed for it", formats.money(data["redemption_total"])),
    ]
