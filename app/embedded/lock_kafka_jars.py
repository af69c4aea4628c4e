"""Writes `kafka-jars.lock` anew, after a change of Kafka's version: reviewed like any source.

`python -m app.embedded.lock_kafka_jars` resolves Kafka's dependencies and fetches every jar over
the network; what is locked is what Maven Central served that day.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.embedded.kafka_jars import KAFKA_VERSION, LOCK_FILE, maven_context, sha256_of

KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
BRIDGE = "log4j-slf4j-impl"
HEADER = f"""\
# Every jar of Apache Kafka {KAFKA_VERSION}, with its SHA-256; the order is the class path.
# Made by: python -m app.embedded.lock_kafka_jars
"""


def write_lock(file: Path = LOCK_FILE) -> int:
    """Resolve, fetch and hash every jar, and write the list; how many there are."""
    with tempfile.TemporaryDirectory() as repository:
        context = maven_context(Path(repository), mirror=None)
        jars = _resolved(context)
        # log4j refuses to work with a bridge of another version than its core. Added by itself:
        # resolved together with Kafka, log4j's own list of managed versions would bring an older
        # kafka-clients; and all that the bridge needs is among Kafka's jars already.
        core = next(jar for jar in jars if jar.artifactId == "log4j-core")
        jars.append(context.project(core.groupId, BRIDGE).at_version(core.version).artifact())
        lines = [
            f"{jar.groupId}:{jar.artifactId}:{jar.version} sha256:{sha256_of(jar.resolve())}"
            for jar in jars
        ]
    file.write_text(HEADER + "\n".join(lines) + "\n")
    return len(lines)


def _resolved(context: Any) -> list[Any]:
    from jgo.parse import Coordinate  # noqa: PLC0415 -- jgo is needed by nobody else here

    wanted = replace(Coordinate.parse(KAFKA), scope="compile")
    inputs, others = context.resolver.resolve([context.create_dependency(wanted)])
    kept = [one for one in others if one.scope in ("compile", "runtime")]
    return [dependency.artifact for dependency in (*inputs, *kept)]


if __name__ == "__main__":
    sys.stdout.write(f"{LOCK_FILE.name}: {write_lock()} jars\n")
