"""docker-compose.yml and the Dockerfile, as far as they can be checked without running Docker."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from jsonschema import Draft202012Validator

from app.cli.commands import ledger
from app.cli.serving import Served
from app.embedded.kafka_jars import KAFKA_VERSION
from app.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
VARIABLES = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def health_command(service: dict[str, Any]) -> list[str]:
    return list(service.get("healthcheck", {}).get("test", ()))


def is_one_shot(service: dict[str, Any]) -> bool:
    return service.get("restart") == "no"


def test_it_fits_the_compose_specification() -> None:
    errors = [
        f"{list(e.path)}: {e.message}" for e in Draft202012Validator(SCHEMA).iter_errors(COMPOSE)
    ]
    assert errors == []


def test_the_schema_would_notice_a_mistake() -> None:
    wrong = {"services": {"api": {"image": "x", "depend_on": ["postgres"]}}}
    assert list(Draft202012Validator(SCHEMA).iter_errors(wrong))


def test_each_part_has_a_container_of_its_own() -> None:
    roles = {service["command"][1] for service in OURS.values() if len(service["command"]) > 1}
    assert roles == {role.value for role in Served} - {"all"}
    assert set(SERVICES) == {"postgres", "kafka", "migrate", *roles}


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_command_exists(name: str) -> None:
    commands: Any = typer.main.get_command(ledger)
    first, *rest = OURS[name]["command"]
    assert first in commands.commands
    # Reads the arguments as a real call would, without the call.
    commands.commands[first].make_context(first, list(rest))


def test_what_health_checks_call_exists() -> None:
    commands: Any = typer.main.get_command(ledger)
    called = [health_command(service) for service in OURS.values()]
    ours = {command[2] for command in called if command[1:2] == ["ledger"]}
    assert ours == {"doctor"}
    assert ours <= set(commands.commands)
    (script,) = {command[3] for command in called if command[1:2] == ["python"]}
    compile(script, "health check", "exec")
    assert "http://127.0.0.1:8080/readyz" in script


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_variable_is_a_setting_with_a_usable_value(name: str) -> None:
    given = OURS[name].get("environment", {})
    assert set(given) <= VARIABLES
    plain = {
        variable.removeprefix(PREFIX).lower(): re.sub(r"\$\{\w+:-(\w*)\}", r"\1", str(value))
        for variable, value in given.items()
    }
    # A variable set to nothing is not set.
    settings = Settings(**{name: value for name, value in plain.items() if value})
    assert settings.database_url is not None
    needs_kafka = name in ("relay", "projector")
    assert settings.kafka_bootstrap_servers is not None or not needs_kafka


def test_every_word_that_looks_like_a_setting_is_one() -> None:
    words = set(re.findall(rf"\b{PREFIX}[A-Z_]+", TEXT + DOCKERFILE))
    assert words <= VARIABLES


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_container_has_a_health_check_or_runs_once(name: str) -> None:
    service = SERVICES[name]
    if is_one_shot(service):
        assert "healthcheck" not in service
    else:
        assert service["healthcheck"]["test"]
        assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_dependency_is_waited_for_as_it_can_be(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        once = is_one_shot(SERVICES[other])
        wanted = "service_completed_successfully" if once else "service_healthy"
        assert how["condition"] == wanted


def test_nothing_is_published_beyond_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_kafka_is_the_version_the_tests_run_on() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_named_volumes_and_configs_are_those_that_are_used() -> None:
    used = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", ())
    }
    assert used == set(COMPOSE["volumes"])
    configs = {each["source"] for s in SERVICES.values() for each in s.get("configs", ())}
    assert configs == set(COMPOSE["configs"])


def test_what_the_dockerfile_copies_exists_and_is_sent_to_the_build() -> None:
    sent = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {
        source
        for line in DOCKERFILE.splitlines()
        if line.startswith("COPY ") and "--from=" not in line
        for source in line.split()[1:-1]
    }
    assert copied == sent
    assert all((ROOT / source).exists() for source in copied)


def test_the_image_runs_the_ledger_as_nobody_special() -> None:
    assert 'ENTRYPOINT ["ledger"]' in DOCKERFILE
    last_user = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1]
    assert last_user not in ("root", "0")
    assert "--require-hashes" in DOCKERFILE
