"""The projector of one process, over all read models."""

from api.health import Component
from app.kafka_access import faststream_security_of
from app.running import Part
from app.settings import Settings
from app.stores import Stores
from app.topics import TopicKeeper
from consumers.projector import Projector, ProjectorSettings
from projections.read_models import ALL

_PUBLISHED = """
SELECT coalesce(max(published_position), 0) FROM ledger.relay_checkpoint WHERE relay = $1"""


class Projectors:
    """All read models, kept up to date from one subscription."""

    def __init__(self, settings: Settings, stores: Stores) -> None:
        assert settings.kafka_bootstrap_servers is not None
        self._pool = stores.projecting
        self._relay = settings.relay
        self._lag_events_max = settings.lag_events_max
        self._projector = Projector(
            ALL,
            stores.projecting,
            ProjectorSettings(
                settings.kafka_bootstrap_servers,
                settings.events_topic,
                faststream_security_of(settings),
            ),
            self._published_up_to,
        )

    def part(self, topic: TopicKeeper) -> Part:
        """Starts once the topic is there."""
        return topic.part("the projector", self._projector.run, self._projector.stop)

    def component(self) -> Component:
        """How it is, for /readyz."""
        troubles, lag = self._projector.troubles, self._projector.lag
        if troubles:
            detail = "; ".join(f"{name}: {error}" for name, error in troubles.items())
        elif lag is None:
            detail = "not reading: no partition is its own yet"
        else:
            detail = f"at most {lag} records wait for a read model"
        ok = not troubles and lag is not None and lag <= self._lag_events_max
        return Component("projectors", ok, detail, required=False)

    async def _published_up_to(self) -> int:
        return int(await self._pool.fetchval(_PUBLISHED, self._relay))
