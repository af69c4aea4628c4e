"""Where many stories of reversals and returns begin: some value has been spent."""

from deciders.scenario import redemption, reward
from deciders.story import Given, given

NOON = "2030-06-01 12:00:00"
LATER = "2030-06-20 12:00:00"
MONTH_AFTER_LATER = "2030-07-20"
GRACE_AFTER_NOON = "2030-06-15"
GRACE_AFTER_LATER = "2030-07-04"


def spent_seven() -> Given:
    """7.00 were spent at noon: all of lot 2, then a part of lot 1."""
    return given(
        reward(1, "5.00", expires="2031-02-01"),
        reward(2, "5.00", expires="2031-01-01"),
        redemption(50, (2, "5.00"), (1, "2.00"), at=NOON),
    )
