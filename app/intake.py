"""The intake of one process: commands from Kafka, with all that is behind them."""

from collections.abc import Callable
from datetime import datetime

from app.kafka_access import faststream_security_of, security_of
from app.master_key import open_vault
from app.running import Part
from app.settings import Settings
from app.stores import Stores
from app.topics import TopicKeeper
from consumers.command_intake import CommandIntake, IntakeSettings
from consumers.intake_broker import dead_letter_topic
from consumers.outcome_publisher import OutcomePublisher
from consumers.reception import SealingReception
from ledger.committer import Committer


async def intake(
    settings: Settings, stores: Stores, committer: Committer, clock: Callable[[], datetime]
) -> CommandIntake:
    """The intake, not yet running."""
    servers = settings.kafka_bootstrap_servers
    assert servers is not None
    vault = await open_vault(settings, stores.pool)
    publisher = OutcomePublisher(
        servers,
        settings.outcomes_topic,
        dead_letter_topic(settings.commands_topic),
        **security_of(settings),
    )
    return CommandIntake(
        committer,
        SealingReception(vault, stores.events),
        publisher,
        clock=clock,
        settings=IntakeSettings(
            servers,
            settings.commands_topic,
            settings.source,
            faststream_security_of(settings),
        ),
    )


def parts(found: CommandIntake, topics: TopicKeeper) -> list[Part]:
    """It begins once its topics are there; a Kafka that is away keeps nothing else from working."""
    return [topics.part("the intake", found.run, found.stop), topics.part_of_its_own()]
