"""A Kafka client on uvloop: a write to a closed connection is an error of the connection.

aiokafka expects an OSError there; uvloop raises a RuntimeError. It ends the task that keeps the
client's picture of the cluster, without a word, and that client never finds a broker again
(aiokafka issue 1038).
"""

from functools import wraps
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_SEND: Final = AIOKafkaConnection.send


@wraps(_SEND)
def _send(connection: Any, *arguments: Any, **options: Any) -> Any:
    try:
        return _SEND(connection, *arguments, **options)
    except RuntimeError as error:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"the connection is closed: {error}") from error


def told_as_kafka_errors() -> None:
    """Mend all clients of this process. Called once, where uvloop is chosen."""
    AIOKafkaConnection.send = _send
