"""All checks in order: the machine, PostgreSQL, Kafka."""

import asyncio

from app.doctor.database import examine_database
from app.doctor.findings import Finding
from app.doctor.kafka import examine_kafka
from app.doctor.machine import examine_machine, examine_own_servers
from app.doctor.personal_data import examine_personal_data
from app.own_servers import Told, servers_if_running
from app.settings import Settings


def examine(settings: Settings, told: Told) -> list[Finding]:
    """Every finding. Servers of our own are looked at where they run; none is started."""
    own_postgres = settings.database_url is None
    own_kafka = settings.kafka_bootstrap_servers is None
    told("Looking at this machine")
    findings = examine_machine(settings)
    findings += examine_own_servers(settings, postgres=own_postgres, kafka=own_kafka)
    with servers_if_running(settings, told) as complete:
        if complete.database_url is None:
            findings.append(_not_running("PostgreSQL", "LEDGER_DATABASE_URL"))
        else:
            told("Looking at PostgreSQL")
            url = complete.database_url.get_secret_value()
            findings += asyncio.run(examine_database(url))
            findings += asyncio.run(examine_personal_data(complete, url))
        if complete.kafka_bootstrap_servers is None:
            findings.append(_not_running("Kafka", "LEDGER_KAFKA_BOOTSTRAP_SERVERS"))
        else:
            told("Looking at Kafka")
            findings += asyncio.run(examine_kafka(complete))
    return findings


def _not_running(name: str, variable: str) -> Finding:
    """No fault: nobody has asked for it yet."""
    return Finding(
        name, True, f"{variable} is not set and none of ours runs; `ledger up` starts one"
    )
