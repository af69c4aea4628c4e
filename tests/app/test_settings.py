"""Settings: each bad value is refused with one line that helps, and no secret is ever shown."""

from pathlib import Path

import pytest

from app.settings import BadSettings, Settings, read_settings, unknown_variables
from app.settings_document import settings_as_markdown

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"

BAD = {
    "LEDGER_DATABASE_URL": ["mysql://u:word@h/d", "h:5432", "postgresql://u:word@h"],
    "LEDGER_OWNER_DATABASE_URL": ["http://h/d"],
    "LEDGER_KAFKA_BOOTSTRAP_SERVERS": ["kafka", "kafka:", "kafka:0", "kafka:99999", "a:1,,b:2"],
    "LEDGER_HOST": [],
    "LEDGER_PORT": ["abc", "-1", "65536", "80.5"],
    "LEDGER_QUEUE_MAX": ["0", "-5", "many"],
    "LEDGER_DATABASE_CONNECTIONS": ["1", "501"],
    "LEDGER_STOP_SECONDS_MAX": ["0", "-1", "soon"],
    "LEDGER_CURRENCY": ["aud", "DOLLAR", "A$"],
    "LEDGER_CURRENCY_DIGITS": ["3", "-1"],
    "LEDGER_REVERSAL_WINDOW_SECONDS": ["-1", "ten"],
    "LEDGER_RETURN_POLICY": ["refund"],
    "LEDGER_GRACE_DAYS": ["-1", "40000"],
    "LEDGER_ZONE": ["Mars/Olympus", "+10:00"],
    "LEDGER_EVENTS_TOPIC": ["a b", "x" * 250],
    "LEDGER_PARTITIONS": ["0", "10001", "twelve"],
    "LEDGER_REPLICATION_FACTOR": ["0"],
    "LEDGER_RELAY": ["a b"],
    "LEDGER_SOURCE": ["with space"],
    "LEDGER_CELL": ["with space"],
    "LEDGER_KAFKA_SECURITY_PROTOCOL": ["TLS"],
    "LEDGER_KAFKA_SASL_MECHANISM": ["GSSAPI"],
    "LEDGER_EXPIRY_POLL_SECONDS": ["0"],
    "LEDGER_LAG_SECONDS_MAX": ["0"],
    "LEDGER_LAG_EVENTS_MAX": ["0"],
    "LEDGER_LOG_LEVEL": ["loud"],
    "LEDGER_LOG_FORMAT": ["xml"],
    "LEDGER_POSTGRES_PORT": ["70000"],
    "LEDGER_KAFKA_PORT": ["x"],
    "LEDGER_MAVEN_MIRROR": ["ftp://mirror", "mirror"],
}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LEDGER_{name.upper()}", raising=False)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_a_bad_value_gives_one_line_that_names_the_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as refused:
        read_settings()
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{name}: ")
    assert "It means:" in line


def test_every_bad_value_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_PORT", "abc")
    monkeypatch.setenv("LEDGER_PARTITIONS", "none")
    with pytest.raises(BadSettings) as refused:
        read_settings()
    assert len(str(refused.value).splitlines()) == 2


def test_no_password_is_shown_when_an_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DATABASE_URL", "mysql://user:topsecret@h/d")
    monkeypatch.setenv("LEDGER_KAFKA_PASSWORD", "alsosecret")
    with pytest.raises(BadSettings) as refused:
        read_settings()
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_secrets_are_not_shown_by_the_settings_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DATABASE_URL", "postgresql://user:topsecret@h/d")
    monkeypatch.setenv("LEDGER_KAFKA_PASSWORD", "topsecret")
    assert "topsecret" not in repr(read_settings())


def test_a_sasl_protocol_needs_user_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    with pytest.raises(BadSettings, match="LEDGER_KAFKA_USER and LEDGER_KAFKA_PASSWORD"):
        read_settings()


def test_a_missing_certificate_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_KAFKA_CA_FILE", "/nowhere/ca.pem")
    with pytest.raises(BadSettings, match=r"LEDGER_KAFKA_CA_FILE: /nowhere/ca\.pem is not a file"):
        read_settings()


def test_a_variable_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DATABASE_URL", "")
    monkeypatch.setenv("LEDGER_PORT", "")
    settings = read_settings()
    assert settings.database_url is None
    assert settings.port == 8080


def test_the_command_line_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_PORT", "1234")
    assert read_settings(port=None).port == 1234
    assert read_settings(port=0).port == 0


def test_both_spellings_of_the_scheme_mean_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DATABASE_URL", "postgres://u:p@h:5432/ledger?sslmode=require")
    url = read_settings().database_url
    assert url is not None
    assert url.get_secret_value() == "postgresql://u:p@h:5432/ledger?sslmode=require"


def test_misspelt_variables_are_found() -> None:
    names = ["LEDGER_DATABSE_URL", "LEDGER_PORT", "LEDGER_TEST_DATABASE_URL", "PATH"]
    assert unknown_variables(names) == ["LEDGER_DATABSE_URL"]


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_page_of_all_settings_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == settings_as_markdown()
