"""How this process gets into Kafka: what every client of ours is given beside the address."""

import ssl
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from faststream.security import (
    BaseSecurity,
    SASLPlaintext,
    SASLScram256,
    SASLScram512,
)

from app.settings import Settings

REQUEST_MILLISECONDS_MAX = 5_000
FAULTS = (KafkaError, OSError, TimeoutError)

_SASL = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}


def security_of(settings: Settings) -> dict[str, Any]:
    """The arguments of aiokafka's clients for the configured protocol."""
    protocol = settings.kafka_security_protocol
    given: dict[str, Any] = {"security_protocol": protocol}
    if protocol.endswith("SSL"):
        given["ssl_context"] = _ssl_context(settings.kafka_ca_file)
    if protocol.startswith("SASL"):
        password = settings.kafka_password
        given["sasl_mechanism"] = settings.kafka_sasl_mechanism
        given["sasl_plain_username"] = settings.kafka_user
        given["sasl_plain_password"] = password.get_secret_value() if password else None
    return given


def faststream_security_of(settings: Settings) -> BaseSecurity | None:
    """The same access as `security_of`, in FastStream's terms."""
    given: dict[str, Any] = security_of(settings)
    context = given.get("ssl_context")
    encrypted = context is not None
    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return None
    if not protocol.startswith("SASL"):
        return BaseSecurity(ssl_context=context, use_ssl=encrypted)
    return _SASL[settings.kafka_sasl_mechanism](
        username=given["sasl_plain_username"],
        password=given["sasl_plain_password"],
        ssl_context=context,
        use_ssl=encrypted,
    )


async def brokers_alive(bootstrap_servers: str, security: dict[str, Any]) -> int:
    """How many brokers the cluster names; raises one of FAULTS when none answers."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap_servers,
        request_timeout_ms=REQUEST_MILLISECONDS_MAX,
        **security,
    )
    try:
        await admin.start()
        return len((await admin.describe_cluster())["brokers"])
    finally:
        await admin.close()


def _ssl_context(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
