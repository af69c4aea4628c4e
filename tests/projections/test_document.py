"""The AsyncAPI document names the topic and every event in it."""

from consumers.projector_document import projector_app
from consumers.topics import EVENTS_TOPIC
from schemas.events import known_events


def test_the_document_has_the_topic_with_every_event() -> None:
    document = projector_app().schema.to_specification().to_json()
    assert f'"address":"{EVENTS_TOPIC}"' in document
    for event in known_events():
        assert f'"{event.__name__}"' in document
