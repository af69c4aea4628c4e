"""PostgreSQL and Kafka without Docker and without an installation: real servers, started by us."""

from app.embedded.errors import EmbeddedServerError
from app.embedded.kafka_jars import fetch_kafka
from app.embedded.servers import EmbeddedServers, Servers

__all__ = ["EmbeddedServerError", "EmbeddedServers", "Servers", "fetch_kafka"]
