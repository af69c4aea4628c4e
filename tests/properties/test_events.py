"""Every event there is: described, with an example that survives being stored and read."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

import schemas
from schemas.events import Event, UnknownEvent, decode, encode, known_events

for module in iter_modules(schemas.__path__):
    import_module(f"schemas.{module.name}")

EVENTS = [cls for cls in known_events() if cls.__module__.startswith("schemas.")]
every_event = pytest.mark.parametrize("cls", EVENTS, ids=lambda cls: cls.__name__)


def test_there_are_events() -> None:
    assert len(EVENTS) >= 10


@every_event
def test_an_event_is_described_in_its_own_words(cls: type[Event]) -> None:
    assert cls.__dict__.get("__doc__"), f"{cls.__name__} says nothing about itself"


@every_event
def test_an_event_has_an_example_that_is_valid(cls: type[Event]) -> None:
    cls.model_validate(cls.EXAMPLE)


@every_event
def test_an_example_names_every_field_that_must_be_there(cls: type[Event]) -> None:
    needed = {name for name, field in cls.model_fields.items() if field.is_required()}
    assert needed <= set(cls.EXAMPLE)


@every_event
def test_an_example_is_the_same_after_storing_and_reading(cls: type[Event]) -> None:
    event = cls.model_validate(cls.EXAMPLE)
    read = decode(cls.__name__, cls.SCHEMA_VERSION, encode(event))
    assert type(read) is cls
    assert read == event
    assert encode(read) == encode(event)


@every_event
def test_an_event_refuses_a_field_it_does_not_know(cls: type[Event]) -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        cls.model_validate(cls.EXAMPLE | {"colour": "red"})


@every_event
def test_what_time_an_example_states_has_its_offset(cls: type[Event]) -> None:
    event = cls.model_validate(cls.EXAMPLE)
    for name in cls.model_fields:
        if name in cls.EXAMPLE and name.endswith(("_at", "_until")):
            assert getattr(event, name).utcoffset() is not None


def test_an_event_nobody_knows_is_said_so() -> None:
    with pytest.raises(UnknownEvent, match="RewardEaten in schema version 3"):
        decode("RewardEaten", 3, b"{}")
