"""Where the stories of sales begin."""

from typing import Any

from deciders.sales import (
    attached,
    attributed,
    sold,
)
from deciders.scenario import (
    redemption,
    registered,
    reward,
)
from deciders.story import Given, elsewhere, given

NOON = "2030-06-01 12:00:00"
LATER = "2030-06-20 12:00:00"


def spent_five(**told: Any) -> Given:
    """5.00 of 8.00 were spent at noon."""
    return given(
        reward(1, "3.00", expires="2031-01-01"),
        reward(2, "5.00", expires="2031-02-01"),
        redemption(50, (1, "3.00"), (2, "2.00"), at=NOON, **told),
    )


def sold_to(profile: str | None = "p-1", **fields: Any) -> Given:
    """The sale 70 comes first; p-1 has 8.00 to spend."""
    on_account = () if profile != "p-1" else (attached(70),)
    return given(
        reward(1, "3.00", expires="2031-01-01"),
        reward(2, "5.00", expires="2031-02-01"),
        sold(70, profile, **fields),
        *on_account,
    )


OTHERS = elsewhere(
    "p-2",
    registered("p-2"),
    reward(9, "5.00", profile_id="p-2"),
    redemption(60, (9, "5.00"), profile_id="p-2"),
)
OTHERS_ANNOUNCED = elsewhere(
    "p-2",
    registered("p-2"),
    reward(9, "5.00", profile_id="p-2"),
    redemption(60, (9, "5.00"), profile_id="p-2", transaction_external_id="t-1"),
)
PAID = attributed(100, 50, (1, "3.00"), (2, "2.00"), shares=("3.00", "2.00"))
PAID_FOR_70 = attributed(70, 50, (1, "3.00"), (2, "2.00"), shares=("3.00", "2.00"))


def paid_later(**fields: Any) -> Given:
    """A sale, and a redemption that told of none."""
    story = sold_to(**fields)
    made = redemption(50, (1, "3.00"), (2, "2.00"), at=NOON)
    return Given((*story.history, ("account-p-1", made)))
