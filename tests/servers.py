"""The servers of the tests: those the environment names, else our own, else containers.

A missing server fails the tests that need it; nothing is skipped.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.embedded import EmbeddedServerError, EmbeddedServers
from app.embedded.passwords import passwords

POSTGRES = "LEDGER_TEST_DATABASE_URL"
KAFKA = "LEDGER_TEST_KAFKA_BOOTSTRAP_SERVERS"
POSTGRES_IMAGE = "postgres:18"
KAFKA_IMAGE = "confluentinc/cp-kafka:8.1.0"


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """A superuser's URL of a database server."""
    given = os.environ.get(POSTGRES)
    if given:
        yield given
        return
    embedded = EmbeddedServers(folder, kafka=False)
    try:
        address = embedded.start().owner_database_url.rpartition("@")[2].split("/")[0]
    except EmbeddedServerError as unable:
        with _postgres_container(unable) as url:
            yield url
        return
    with embedded:
        word = passwords(folder, first_start=False).superuser
        yield f"postgresql://postgres:{word}@{address}/postgres"


@contextmanager
def kafka_server(folder: Path) -> Iterator[str]:
    """The bootstrap address of a broker."""
    given = os.environ.get(KAFKA)
    if given:
        yield given
        return
    embedded = EmbeddedServers(folder, postgres=False)
    try:
        address = embedded.start().kafka_bootstrap_servers
    except EmbeddedServerError as unable:
        with _kafka_container(unable) as bootstrap:
            yield bootstrap
        return
    with embedded:
        yield address


@contextmanager
def _postgres_container(unable: EmbeddedServerError) -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 - rarely used

    _refuse_without_docker(unable)
    with PostgresContainer(POSTGRES_IMAGE, driver=None) as container:
        yield container.get_connection_url()


@contextmanager
def _kafka_container(unable: EmbeddedServerError) -> Iterator[str]:
    from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415 - rarely used

    _refuse_without_docker(unable)
    with KafkaContainer(KAFKA_IMAGE).with_kraft() as container:
        yield container.get_bootstrap_server()


def _refuse_without_docker(unable: EmbeddedServerError) -> None:
    """Where Docker doesn't answer either, the first reason is the one to mend."""
    import docker  # noqa: PLC0415 - rarely used

    try:
        docker.from_env().ping()
    except Exception:
        raise unable from None
