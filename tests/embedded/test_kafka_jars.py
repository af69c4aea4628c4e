"""Jars come into use only with the committed hash; the network is touched only when one is not."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.embedded import EmbeddedServerError, fetch_kafka
from app.embedded.kafka_jars import jars_in, read_lock, sha256_of, without_credentials

NOBODY_LISTENS = "http://ledger:secret-word@127.0.0.1:9/maven"


class Mirror:
    """A Maven repository on this machine that serves the verified jars, and may spoil some."""

    def __init__(self, jars: Path) -> None:
        self.asked: list[str] = []
        self.spoilt: set[str] = set()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                mirror.asked.append(name)
                jar = jars / name
                if not jar.is_file():
                    self.send_error(404)
                    return
                body = jar.read_bytes()
                body = body[:1000] if name in mirror.spoilt else body
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/maven/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def jars_asked(self) -> list[str]:
        return sorted(name for name in self.asked if name.endswith(".jar"))


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    jars = fetch_kafka()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = Mirror(jars)
    yield made
    made.stop()


def test_the_lock_has_what_kafka_needs() -> None:
    versions = {jar.artifact: jar.version for jar in read_lock()}
    assert versions["kafka_2.13"] == versions["kafka-clients"] == "4.3.1"
    assert versions["log4j-slf4j-impl"] == versions["log4j-core"]
    assert all(len(jar.sha256) == 64 for jar in read_lock())
    assert len(set(jars_in())) == len(jars_in())


def test_fetches_from_the_mirror_once_and_then_never_again(tmp_path: Path, mirror: Mirror) -> None:
    told: list[str] = []
    folder = fetch_kafka(told.append, cache_dir=tmp_path, maven_mirror=mirror.url)
    assert mirror.jars_asked() == sorted(jars_in())
    assert told[-1].startswith(f"Apache Kafka: {len(jars_in())} of {len(jars_in())} jars, 4")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["kafka-4.3.1", "kafka-4.3.1.lock"]
    mirror.asked.clear()
    assert fetch_kafka(cache_dir=tmp_path, maven_mirror=mirror.url) == folder
    assert mirror.asked == []


def test_a_truncated_and_a_missing_jar_are_fetched_again(tmp_path: Path, mirror: Mirror) -> None:
    folder = tmp_path / "kafka-4.3.1"
    shutil.copytree(fetch_kafka(), folder)
    truncated, missing = jars_in()[0], jars_in()[7]
    (folder / truncated).write_bytes((folder / truncated).read_bytes()[:-1])
    (folder / missing).unlink()
    fetch_kafka(cache_dir=tmp_path, maven_mirror=mirror.url)
    assert mirror.jars_asked() == sorted([truncated, missing])
    assert all(sha256_of(folder / jar.file_name) == jar.sha256 for jar in read_lock())


def test_a_wrong_jar_from_the_network_never_comes_into_use(tmp_path: Path, mirror: Mirror) -> None:
    spoilt = jars_in()[3]
    mirror.spoilt.add(spoilt)
    with pytest.raises(EmbeddedServerError, match="another SHA-256") as failure:
        fetch_kafka(cache_dir=tmp_path, maven_mirror=mirror.url)
    assert failure.value.code == "jars_unreachable"
    assert mirror.jars_asked().count(spoilt) == 3
    assert not (tmp_path / "kafka-4.3.1" / spoilt).exists()


def test_without_a_network_it_says_what_to_do_and_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(fetch_kafka(), tmp_path / "kafka-4.3.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "kafka-4.3.1" / jars_in()[0]).unlink()
    with pytest.raises(EmbeddedServerError, match="behind a proxy set HTTPS_PROXY") as failure:
        fetch_kafka(cache_dir=tmp_path, maven_mirror=NOBODY_LISTENS)
    assert "127.0.0.1:9" in failure.value.message
    assert "secret-word" not in failure.value.message
    assert without_credentials("see http://a:b@c/d") == "see http://c/d"


def test_two_at_once_fetch_every_jar_once(tmp_path: Path, mirror: Mirror) -> None:
    options = {"cache_dir": tmp_path, "maven_mirror": mirror.url}
    both = [threading.Thread(target=fetch_kafka, kwargs=options) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert mirror.jars_asked() == sorted(jars_in())
