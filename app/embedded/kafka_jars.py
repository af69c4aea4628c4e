"""Apache Kafka's jars: fetched once, each one checked against a committed SHA-256 at every start.

`jgo` fetches from Maven repositories, but trusts whatever lies in its cache, a truncated jar too,
and only warns of a wrong checksum. So it works in a folder of ours, on exact coordinates, and a
jar comes into use only by being moved into place with the right hash. When all are right, neither
the network nor jgo is touched. `lock_kafka_jars` writes the list.
"""

import hashlib
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from filelock import FileLock, Timeout

from app.embedded.errors import EmbeddedServerError, unwritable

KAFKA_VERSION = "4.3.1"
LOCK_FILE = Path(__file__).with_name("kafka-jars.lock")
ATTEMPTS_MAX = 3
DOWNLOADS_AT_ONCE = 4
REQUEST_SECONDS_MAX = 30
OTHER_FETCH_SECONDS_MAX = 600
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class LockedJar:
    """One jar by its exact coordinates."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the folder of jars."""
        return f"{self.artifact}-{self.version}.jar"


def fetch_kafka(
    progress: Callable[[str], None] = lambda _: None,
    *,
    cache_dir: Path | None = None,
    maven_mirror: str | None = None,
) -> Path:
    """The folder with all of Kafka's jars, each verified; fetches those that are not right.

    The proxy variables of the environment are honoured. `maven_mirror` is the base address of a
    Maven repository to use instead of Maven Central.
    """
    folder = (cache_dir or default_cache_dir()).absolute() / f"kafka-{KAFKA_VERSION}"
    locked = read_lock()
    if not _not_right(folder, locked):
        return folder
    lock = FileLock(folder.with_name(f"{folder.name}.lock"), thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(lock, progress):
            # Asked again under the lock: another process may have fetched them meanwhile.
            if missing := _not_right(folder, locked):
                _Fetch(folder, maven_mirror, progress, len(locked)).all(missing)
    except OSError as cause:
        raise unwritable(folder, cause) from cause
    return folder


def jars_in() -> list[str]:
    """The file names of Kafka's jars, in the order of the class path."""
    return [jar.file_name for jar in read_lock()]


def read_lock() -> list[LockedJar]:
    """The committed list of jars."""
    lines = LOCK_FILE.read_text().splitlines()
    entries = (line.split() for line in lines if line and not line.startswith("#"))
    return [
        LockedJar(group, artifact, version, sha256.removeprefix("sha256:"))
        for coordinates, sha256 in entries
        for group, artifact, version in [coordinates.split(":")]
    ]


def default_cache_dir() -> Path:
    """This project's folder among the user's caches."""
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path.home() / caches / "rewards-ledger"


class _Fetch:
    """One fetch of the jars that are missing or not right."""

    def __init__(
        self, folder: Path, mirror: str | None, progress: Callable[[str], None], total: int
    ) -> None:
        self._folder = folder
        self._mirror = mirror
        self._progress = progress
        self._total = total
        self._jars_done = 0
        self._bytes_done = 0
        self._megabytes_told = 0
        self._counting = Lock()

    def all(self, missing: list[LockedJar]) -> None:
        """Fetch them, several at once; what is done stays when one fails."""
        self._jars_done = self._total - len(missing)
        repository = self._folder.with_name(f"{self._folder.name}.partial")
        shutil.rmtree(repository, ignore_errors=True)
        self._tell()
        try:
            with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
                running = [pool.submit(self._one, jar, repository) for jar in missing]
                try:
                    for future in running:
                        future.result()
                finally:
                    pool.shutdown(wait=True, cancel_futures=True)
        finally:
            shutil.rmtree(repository, ignore_errors=True)

    def _one(self, jar: LockedJar, repository: Path) -> None:
        context = maven_context(repository, self._mirror, self._counted)
        artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        reason = ""
        for attempt in range(ATTEMPTS_MAX):
            time.sleep(attempt)
            try:
                # jgo takes what lies in its cache as it is, so nothing may lie there.
                artifact.cached_path.unlink(missing_ok=True)
                fetched = artifact.resolve()
            except (OSError, RuntimeError) as cause:  # OSError: requests' errors, and the disk's
                reason = without_credentials(str(cause))
                continue
            if sha256_of(fetched) == jar.sha256:
                fetched.replace(self._folder / jar.file_name)
                with self._counting:
                    self._jars_done += 1
                    self._tell()
                return
            reason = "what arrived has another SHA-256 than the committed lock says"
        raise self._failed(jar, reason)

    @contextmanager
    def _counted(self, _name: str, _size: int) -> Iterator[Callable[[int], None]]:
        def count(received: int) -> None:
            with self._counting:
                self._bytes_done += received
                if self._bytes_done // MEGABYTE > self._megabytes_told:
                    self._tell()

        yield count

    def _tell(self) -> None:
        self._megabytes_told = self._bytes_done // MEGABYTE
        self._progress(
            f"Apache Kafka: {self._jars_done} of {self._total} jars, {self._megabytes_told} MB"
        )

    def _failed(self, jar: LockedJar, reason: str) -> EmbeddedServerError:
        source = without_credentials(self._mirror) if self._mirror else "Maven Central"
        return EmbeddedServerError(
            "jars_unreachable",
            f"The jar {jar.group}:{jar.artifact}:{jar.version} of Apache Kafka could not be had"
            f" from {source} in {ATTEMPTS_MAX} attempts: {reason}.\nCheck the network; behind a"
            " proxy set HTTPS_PROXY; name another Maven repository as the mirror; or, for a"
            f" machine without a network, copy the folder {self._folder} from a machine where"
            " `ledger kafka fetch` has filled it; or use a Kafka of your own by its address.",
        )


def maven_context(repository: Path, mirror: str | None, progress: Any = None) -> Any:
    """jgo's resolver, in pure Python, on a repository folder of its own."""
    try:
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 -- not at a warm start
    except ImportError as cause:
        raise EmbeddedServerError(
            "jgo_missing",
            "Apache Kafka's jars are not here yet, and the package that fetches them is not"
            " installed. Install this project with the extra `embedded` (package jgo).",
        ) from cause
    return MavenContext(
        resolver=PythonResolver(progress_callback=progress),
        repo_cache=repository,
        local_repos=[],
        remote_repos=None if mirror is None else {"mirror": mirror.rstrip("/")},
        timeout=REQUEST_SECONDS_MAX,
    )


def without_credentials(text: str) -> str:
    """A mirror's address may carry a name and a password, which no message may show."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def _not_right(folder: Path, locked: list[LockedJar]) -> list[LockedJar]:
    """Hashing all 46 MB takes some 0.05 s, less than a stamp would be worth in doubt."""
    return [jar for jar in locked if sha256_of(folder / jar.file_name) != jar.sha256]


def sha256_of(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return "unreadable"


@contextmanager
def _alone(lock: FileLock, progress: Callable[[str], None]) -> Iterator[None]:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress("Apache Kafka: another process is fetching the jars, waiting for it")
        try:
            lock.acquire(timeout=OTHER_FETCH_SECONDS_MAX)
        except Timeout as cause:
            raise EmbeddedServerError(
                "jars_held",
                f"Another process has been fetching Apache Kafka's jars for more than"
                f" {OTHER_FETCH_SECONDS_MAX // 60} minutes (it holds {lock.lock_file}). End that"
                " process and start again.",
            ) from cause
    try:
        yield
    finally:
        lock.release()
