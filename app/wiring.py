"""The composition root: every part of a process, built from the settings and joined here only."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from api.app import create_app
from api.programme import CurrentSettings
from api.services import Services
from api.sessions import Sessions
from api.tokens import Tokens
from api.users import Users
from app.due_profiles import DueInReadModel
from app.health import Asked, Health
from app.http_server import HttpServer, Transport
from app.intake import intake
from app.intake import parts as intake_parts
from app.kafka_access import security_of
from app.master_key import open_vault
from app.operations.kafka import Topics
from app.operations.look import Looking, Place
from app.projectors import Projectors
from app.running import Part
from app.settings import Settings
from app.stores import VERSION, Stores
from app.topics import TopicKeeper, command_topics, events_topic
from console.app import WithConsole, create_console
from console.services import ConsoleServices
from consumers.command_queue import KafkaCommandQueue
from consumers.expiry import ExpirySettings, ExpiryWorker
from consumers.producer import KafkaEventProducer
from consumers.published_position import PostgresPublishedPosition
from consumers.relay import Relay, RelaySettings
from ledger.committer import Committer
from ledger.decider import ProgrammeSettings
from ledger.event_store.faults import FAULTS, meaning
from ledger.event_store.snapshots import PostgresSnapshots
from ledger.imports.worker import ImportWorker
from ledger.personal.vault import Vault
from ledger.snapshot_keeper import SnapshotKeeper
from projections.reading import FreshReads

Role = Literal["api", "relay", "projector", "expiry", "intake"]
ROLES: tuple[Role, ...] = ("api", "relay", "projector", "expiry", "intake")
WITH_COMMITTER: frozenset[Role] = frozenset({"api", "expiry", "intake"})
WITH_EVENTS_TOPIC: frozenset[Role] = frozenset({"relay", "projector"})
WITH_KAFKA: frozenset[Role] = WITH_EVENTS_TOPIC | {"intake"}


@dataclass
class Process:
    """The parts of one process, in the order they stop."""

    parts: list[Part] = field(default_factory=list)
    topic: TopicKeeper | None = None


@dataclass(frozen=True)
class Wiring:
    """What every part is built from."""

    settings: Settings
    database_url: str
    stores: Stores
    listening: socket.socket | None = None
    """Where the API serves; only its role needs one."""

    async def build(self, roles: Sequence[Role]) -> Process:
        """The parts of these roles.

        They stop from the outside in: first what brings new commands, then what commits them,
        last what carries the events on.
        """
        process = Process()
        relay = self._relay() if "relay" in roles else None
        projectors = Projectors(self.settings, self.stores) if "projector" in roles else None
        committer = None
        snapshots = SnapshotKeeper(PostgresSnapshots(self.stores.pool))
        if WITH_COMMITTER.intersection(roles):
            committer = self._committer(relay, snapshots)
        if committer and "intake" in roles:
            taking = await intake(self.settings, self.stores, committer, now)
            process.parts += intake_parts(taking, command_topics(self.settings, self._kafka()))
        if committer and "expiry" in roles:
            process.parts.append(self._expiry(committer))
        if committer and "api" in roles:
            programme = await self._programme()
            worker = await self._imports(committer, programme)
            tokens = Tokens(self.stores.pool)
            process.parts.append(self._api(committer, projectors, programme, worker, tokens))
            process.parts.append(Part("the uses of tokens", tokens.run, tokens.stop))
            process.parts.append(Part("the imports", worker.run, worker.stop))
            process.parts.append(Part("the settings", programme.follow, programme.stop))
        if committer:
            process.parts.append(Part("the committer", committer.run))
            process.parts.append(Part("the snapshots", snapshots.run))
        if WITH_EVENTS_TOPIC.intersection(roles):
            process.topic = self._topic()
            process.parts.append(process.topic.part_of_its_own())
        if relay and process.topic:
            process.parts.append(process.topic.part("the relay", relay.run, relay.stop))
        if projectors and process.topic:
            process.parts.append(projectors.part(process.topic))
        return process

    def _relay(self) -> Relay:
        settings, security = self.settings, security_of(self.settings)

        def producer() -> KafkaEventProducer:
            return KafkaEventProducer(self._kafka(), settings.events_topic, **security)

        return Relay(
            self.stores.events,
            PostgresPublishedPosition(self.database_url, settings.relay),
            producer,
            RelaySettings(settings.partitions, settings.source, settings.cell),
        )

    def _committer(self, relay: Relay | None, snapshots: SnapshotKeeper) -> Committer:
        committed: Callable[[], None] = relay.wake if relay else lambda: None
        return Committer(
            self.stores.events,
            clock=now,
            settings=programme_settings(self.settings),
            committed=committed,
            queue_max=self.settings.queue_max,
            snapshots=snapshots,
        )

    def _expiry(self, committer: Committer) -> Part:
        worker = ExpiryWorker(
            committer,
            DueInReadModel(self.stores.pool),
            clock=now,
            settings=ExpirySettings(poll_seconds=self.settings.expiry_poll_seconds),
        )
        return Part("the expiry worker", worker.run, worker.stop)

    async def _programme(self) -> CurrentSettings:
        """The settings as the log has them now: the first answer shows amounts by them."""
        programme = CurrentSettings(programme_settings(self.settings), self.stores.pool)
        try:
            await programme.refresh()
        except FAULTS as error:
            raise meaning(error) from error
        return programme

    async def _imports(self, committer: Committer, programme: CurrentSettings) -> ImportWorker:
        return ImportWorker(
            self.stores.pool,
            self.stores.events,
            await open_vault(self.settings, self.stores.pool),
            committer.submit_all,
            now,
            lambda: programme.of_environment,
        )

    def _api(
        self,
        committer: Committer,
        projectors: Projectors | None,
        programme: CurrentSettings,
        worker: ImportWorker,
        tokens: Tokens,
    ) -> Part:
        assert self.listening is not None
        pool = self.stores.pool
        asked = Asked(
            self.settings.relay,
            self.settings.lag_events_max,
            self.settings.lag_seconds_max,
            self.settings.kafka_bootstrap_servers,
            security_of(self.settings),
        )
        queue = self._queue()
        services = Services(
            committer=committer,
            store=self.stores.events,
            reads=FreshReads(pool),
            pool=pool,
            tokens=tokens,
            users=Users(pool),
            sessions=Sessions(pool),
            health=Health(pool, asked, lambda: (projectors.component(),) if projectors else ()),
            clock=now,
            programme=programme,
            vault=worker.vault,
            imports=worker,
            operations=self._operations(worker.vault),
            queue=queue,
        )
        stop_seconds_max = self.settings.stop_seconds_max
        api = create_app(services)
        console = ConsoleServices(api, services)
        application = WithConsole(api, create_console(console))
        transport = Transport(
            self.settings.tls_cert_file,
            self.settings.tls_key_file,
            tuple(filter(None, map(str.strip, self.settings.trusted_proxies.split(",")))),
        )
        server = HttpServer(application, self.listening, stop_seconds_max, transport)

        async def stop() -> None:
            console.ending.set()
            await server.stop()
            if queue is not None:
                await queue.close()

        return Part("the API", server.run, stop, stop_seconds_max + 5)

    def _operations(self, vault: Vault) -> Looking:
        settings = self.settings
        topics = Topics(settings.events_topic, settings.commands_topic, settings.outcomes_topic)
        place = Place(
            settings.relay,
            VERSION,
            settings.kafka_bootstrap_servers,
            topics,
            security_of(settings),
        )
        return Looking(self.stores.pool, vault, place, now)

    def _queue(self) -> KafkaCommandQueue | None:
        settings = self.settings
        if settings.kafka_bootstrap_servers is None:
            return None
        return KafkaCommandQueue(
            settings.kafka_bootstrap_servers, settings.commands_topic, **security_of(settings)
        )

    def _topic(self) -> TopicKeeper:
        return events_topic(self.settings, self._kafka())

    def _kafka(self) -> str:
        assert self.settings.kafka_bootstrap_servers is not None
        return self.settings.kafka_bootstrap_servers


def programme_settings(settings: Settings) -> ProgrammeSettings:
    """The rules of the programme, as decisions know them."""
    return ProgrammeSettings(
        currency=settings.currency,
        currency_digits=settings.currency_digits,
        reversal_window=timedelta(seconds=settings.reversal_window_seconds),
        return_policy=settings.return_policy,
        grace_days=settings.grace_days,
    )


def now() -> datetime:
    """The clock of the process."""
    return datetime.now(UTC)
