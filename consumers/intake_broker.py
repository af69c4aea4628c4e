"""The intake's subscription: all topics of commands."""

import re
from typing import Final

from consumers.raw_records import Handle, Limits, Subscription, subscribed

GROUP: Final = "ledger.command-intake"
DEAD_LETTER: Final = "dead-letter"


def dead_letter_topic(topic: str) -> str:
    """Where records go that nobody could read."""
    return f"{topic}.{DEAD_LETTER}"


def topics_pattern(topic: str) -> str:
    """The default source's topic, and one for each other source."""
    return rf"^{re.escape(topic)}(\.(?!{DEAD_LETTER}$)[A-Za-z0-9_-]+)?$"


def subscribe_to_commands(
    bootstrap_servers: str, topic: str, handle: Handle, limits: Limits
) -> Subscription:
    """A subscription that is not started yet."""
    return subscribed(
        bootstrap_servers, handle, limits, pattern=topics_pattern(topic), group_id=GROUP
    )
