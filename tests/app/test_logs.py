"""Logs: one event a line, and never a secret that only stood in a local variable."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.logs import set_up_logs
from app.settings import Settings


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def fail_with_a_secret() -> None:
    password = "topsecret"
    raise ValueError(f"a password of {len(password)} letters")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_local_variables_are_not_logged(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(Settings.model_validate({"log_format": log_format}))
    for log in (structlog.get_logger("ours"), logging.getLogger("a.library")):
        try:
            fail_with_a_secret()
        except ValueError:
            log.exception("failed")
    said = capsys.readouterr().err
    assert "a password of 9 letters" in said
    assert "'topsecret'" not in said.replace('password = "topsecret"', "")


def test_json_logs_are_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Settings(log_format="json"))
    structlog.get_logger("ours").info("started", roles=["api"])
    logging.getLogger("a.library").warning("of %s", "theirs")
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["roles"], ours["level"]) == ("started", ["api"], "info")
    assert theirs["event"] == "of theirs"


def test_less_than_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(Settings(log_level="error"))
    structlog.get_logger("ours").warning("hidden")
    logging.getLogger("aiokafka.conn").error("every attempt of every connection")
    assert capsys.readouterr().err == ""
