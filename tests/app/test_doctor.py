"""The doctor: each fault is found, and the remedy is named."""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.doctor import Finding
from app.doctor.database import examine_database
from app.doctor.kafka import examine_kafka
from app.doctor.machine import examine_machine, examine_own_servers
from app.settings import Settings


def by_name(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def wrong(findings: Sequence[Finding]) -> set[str]:
    return {finding.name for finding in findings if not finding.ok}


async def test_a_prepared_database_is_well(application_url: str) -> None:
    findings = await examine_database(application_url)
    assert wrong(findings) == set()
    assert {"PostgreSQL", "Encoding", "Clocks", "Rights", "Append only"} <= set(by_name(findings))


async def test_a_database_that_is_not_migrated(empty_url: str) -> None:
    findings = await examine_database(empty_url)
    assert wrong(findings) == {"Migrations"}
    assert "ledger migrate" in by_name(findings)["Migrations"].remedy


async def test_missing_read_models(
    application_url: str, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await superuser.execute("DROP TABLE projections.balances_v1")
    findings = await examine_database(application_url)
    assert wrong(findings) == {"Read models"}
    assert "balances_v1" in by_name(findings)["Read models"].detail


async def test_a_role_that_may_write_the_log(database_url: str, application_url: str) -> None:
    assert application_url  # the database is ready
    findings = await examine_database(database_url)
    assert wrong(findings) == {"Append only"}
    assert "LEDGER_OWNER_DATABASE_URL" in by_name(findings)["Append only"].remedy


async def test_a_role_without_rights(database_url: str, login_url: str) -> None:
    findings = await examine_database(login_url)
    assert "Rights" in wrong(findings)
    assert "GRANT ledger_application" in by_name(findings)["Rights"].remedy


async def test_a_wrong_encoding(server_url: str) -> None:
    name = f"ascii_{uuid4().hex[:8]}"
    admin = await asyncpg.connect(server_url)
    await admin.execute(
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
    )
    try:
        findings = await examine_database(f"{server_url.rsplit('/', 1)[0]}/{name}")
        assert "Encoding" in wrong(findings)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def test_a_server_that_does_not_let_us_in(login_url: str) -> None:
    (finding,) = await examine_database(login_url.replace("topsecret", "other"))
    assert not finding.ok
    assert "LEDGER_DATABASE_URL" in finding.remedy


async def topic_with(kafka: str, partitions: int, **config: str) -> str:
    name = f"test.doctor.{uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    configs = {key.replace("_", "."): value for key, value in config.items()}
    await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])
    await admin.close()
    return name


def settings_for(kafka: str, topic: str) -> Settings:
    return Settings(kafka_bootstrap_servers=kafka, events_topic=topic, partitions=3)


async def test_a_topic_as_it_should_be(kafka: str) -> None:
    topic = await topic_with(kafka, 3, message_timestamp_type="LogAppendTime")
    findings = await examine_kafka(settings_for(kafka, topic))
    assert wrong(findings) == set()
    assert len(findings) == 4


async def test_a_topic_with_every_fault(kafka: str) -> None:
    topic = await topic_with(
        kafka, 2, message_timestamp_type="CreateTime", max_message_bytes="1000"
    )
    findings = await examine_kafka(settings_for(kafka, topic))
    assert wrong(findings) == {"Partitions", "Timestamps", "Record size"}
    assert "LEDGER_PARTITIONS=2" in by_name(findings)["Partitions"].remedy


async def test_a_topic_that_is_not_there_yet_is_no_fault_and_not_created(kafka: str) -> None:
    topic = f"test.doctor.{uuid4().hex}"
    for _ in range(2):
        findings = await examine_kafka(settings_for(kafka, topic))
        assert wrong(findings) == set()
        assert "not there yet" in by_name(findings)["Topic"].detail


async def test_a_kafka_that_does_not_answer() -> None:
    (finding,) = await examine_kafka(settings_for("127.0.0.1:1", "t"))
    assert not finding.ok
    assert "LEDGER_KAFKA_BOOTSTRAP_SERVERS" in finding.remedy


def test_this_machine_is_well(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "data", port=0)
    assert wrong(examine_machine(settings)) <= {"Variables"}
    assert wrong(examine_own_servers(settings, postgres=True, kafka=True)) == set()


def test_missing_programs_of_postgresql(tmp_path: Path) -> None:
    settings = Settings(postgres_bin=tmp_path)
    (finding,) = examine_own_servers(settings, postgres=True, kafka=False)
    assert not finding.ok
    assert "LEDGER_POSTGRES_BIN" in finding.remedy


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.doctor.machine.FREE_BYTES_MIN", 2**60)
    findings = examine_machine(Settings(data_dir=tmp_path, port=0))
    assert "Disk" in wrong(findings)
