"""The projectors of one process: one a read model, each with its own group and checkpoint."""

from collections.abc import Sequence

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
    """All of them."""

    def __init__(self, settings: Settings, stores: Stores) -> None:
        assert settings.kafka_bootstrap_servers is not None
        self._pool = stores.projecting
        self._relay = settings.relay
        self._lag_events_max = settings.lag_events_max
        shared = ProjectorSettings(
            settings.kafka_bootstrap_servers,
            settings.events_topic,
            faststream_security_of(settings),
        )
        self._by_name = {
            projection.name: Projector(projection, stores.projecting, shared, self._published_up_to)
            for projection in ALL
        }

    def parts(self, topic: TopicKeeper) -> Sequence[Part]:
        """A part each. They start once the topic is there."""
        return [
            topic.part(f"the projector of {name}", projector.run, projector.stop)
            for name, projector in self._by_name.items()
        ]

    def component(self) -> Component:
        """How they are, for /readyz."""
        troubled = {
            name: projector.last_error
            for name, projector in self._by_name.items()
            if projector.last_error is not None
        }
        idle = [name for name, projector in self._by_name.items() if projector.lag is None]
        lag = max(projector.lag or 0 for projector in self._by_name.values())
        if troubled:
            detail = "; ".join(f"{name}: {error}" for name, error in troubled.items())
        elif len(idle) == len(self._by_name):
            detail = "not reading: no partition is theirs yet"
        else:
            detail = f"at most {lag} records wait for one of them"
        ok = not troubled and len(idle) < len(self._by_name) and lag <= self._lag_events_max
        return Component("projectors", ok, detail, required=False)

    async def _published_up_to(self) -> int:
        return int(await self._pool.fetchval(_PUBLISHED, self._relay))
