"""All settings, from `LEDGER_*` variables. Nothing else in the project reads the environment.

Addresses that carry a password are secrets here, so that no log or traceback shows one.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic import model_validator as checked
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.personal.master import from_text
from schemas.redemptions import ReturnPolicy
from schemas.times import ZoneName

PREFIX = "LEDGER_"
SCHEMES = ("postgresql", "postgres")

Port = Annotated[int, Field(ge=0, le=65_535)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


def _postgres(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in SCHEMES or not parts.path.strip("/"):
        raise ValueError("Give an address such as postgresql://user:password@host:5432/ledger.")
    return SecretStr(f"postgresql://{url.get_secret_value().partition('://')[2]}")


def _servers(text: str) -> str:
    for server in text.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal() or not 1 <= int(port) <= 65_535:
            raise ValueError("Give one or more host:port with commas between, such as kafka:9092.")
    return text


def _master_key(text: SecretStr) -> SecretStr:
    from_text(text.get_secret_value())
    return text


MasterKey = Annotated[SecretStr, AfterValidator(_master_key)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_postgres)]
Addresses = Annotated[str, AfterValidator(_servers)]
Mirror = Annotated[str, Field(pattern=r"^https?://\S+$")]


class Settings(BaseSettings):
    """One field a variable: `port` is `LEDGER_PORT`."""

    # A variable set to nothing, as compose files do, is not set.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid"
    )

    database_url: DatabaseUrl | None = Field(
        None,
        description="PostgreSQL, with the role of the application. Unset: `ledger up` and"
        " `ledger demo` start one of their own in the data directory.",
    )
    owner_database_url: DatabaseUrl | None = Field(
        None,
        description="The same database with the role that owns it, for `ledger migrate`."
        " Unset: LEDGER_DATABASE_URL.",
    )
    kafka_bootstrap_servers: Addresses | None = Field(
        None,
        description="Kafka's addresses, host:port with commas between. Unset: `ledger up` and"
        " `ledger demo` start one of their own.",
    )
    data_dir: Path = Field(
        Path(".ledger"), description="Where servers of our own keep data, logs and secrets."
    )
    master_key: MasterKey | None = Field(
        None,
        description="32 random bytes in base64 (`openssl rand -base64 32`), under which the keys"
        " of personal data are wrapped. Keep it apart from the database and its backups. Unset:"
        " the file secrets/master.key in the data directory, made for a new database.",
    )
    master_key_previous: MasterKey | None = Field(
        None,
        description="The master key before this one, until"
        " `ledger personal-data rotate-master-key` has run.",
    )
    host: str = Field("127.0.0.1", description="The address the API listens on.", min_length=1)
    port: Port = Field(8080, description="The port of the API; 0 takes a free one.")
    tls_cert_file: Path | None = Field(
        None, description="The certificate to serve HTTPS with, PEM, its chain after it."
    )
    tls_key_file: Path | None = Field(None, description="The key of that certificate, PEM.")
    trusted_proxies: Annotated[str, Field(pattern=r"^[0-9a-fA-F.:/, ]*$")] = Field(
        "",
        description="The addresses of proxies in front, with commas between, whose"
        " X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    queue_max: Count = Field(
        5_000, description="So many commands may wait for their commit; more get a 503."
    )
    database_connections: Annotated[int, Field(ge=2, le=500)] = Field(
        20, description="The most connections that the requests of one process share."
    )
    stop_seconds_max: Seconds = Field(
        15.0, description="How long requests in hand may take to finish when the process stops."
    )

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = Field(
        "AUD",
        description="The programme's currency, three letters, until its settings are changed.",
    )
    currency_digits: Annotated[int, Field(ge=0, le=2)] = Field(
        2, description="The decimals of its minor unit, until then."
    )
    reversal_window_seconds: Annotated[int, Field(ge=0, le=31_536_000)] = Field(
        600, description="How long after a redemption it can be reversed, until then."
    )
    return_policy: ReturnPolicy = Field(
        "reissue", description="What a return does unless the request says otherwise, until then."
    )
    grace_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        14,
        description="How long value lives that comes back to an expired reward, until then.",
    )
    zone: ZoneName = Field("UTC", description="The IANA time zone the command line shows times in.")

    events_topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")] = Field(
        "ledger.events", description="The topic the log is published to."
    )
    commands_topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")] = Field(
        "ledger.commands",
        description="The topic commands come by. Each other source has one of its own, with a dot"
        " and the source's name after it.",
    )
    outcomes_topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")] = Field(
        "ledger.outcomes", description="The topic that tells what became of each command."
    )
    partitions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        12, description="The topic's partitions: fixed when it is created, checked ever after."
    )
    replication_factor: Annotated[int, Field(ge=1, le=100)] = Field(
        1, description="How many brokers keep each record, where the topic is created by us."
    )
    relay: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = Field(
        "events", description="The name under which the relay keeps how far it has published."
    )
    source: Annotated[str, Field(pattern=r"^\S{1,255}$")] = Field(
        "/ledger", description="The CloudEvents `source` of everything published."
    )
    cell: Annotated[str, Field(pattern=r"^\S{1,100}$")] = Field(
        "main", description="The name of this database among those that feed one topic."
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to Kafka."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How to log in to Kafka where the protocol is a SASL one."
    )
    kafka_user: str | None = Field(None, description="The user of a SASL login.")
    kafka_password: SecretStr | None = Field(None, description="The password of a SASL login.")
    kafka_ca_file: Path | None = Field(
        None, description="The certificate authority of an SSL protocol. Unset: the system's."
    )

    expiry_poll_seconds: Seconds = Field(
        60.0, description="How often to look for rewards whose time has come, when none is due."
    )
    lag_seconds_max: Seconds = Field(
        30.0, description="An event unpublished for longer makes /readyz say `degraded`."
    )
    lag_events_max: Count = Field(
        10_000, description="More events not yet published or read make /readyz say `degraded`."
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severity that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="One JSON object a line, or text for a person."
    )

    postgres_bin: Path | None = Field(
        None, description="A folder with PostgreSQL's programs, instead of the installed wheel's."
    )
    postgres_port: Port | None = Field(
        None, description="The port of our own PostgreSQL. Unset: a free one, remembered."
    )
    kafka_port: Port | None = Field(
        None, description="The port of our own Kafka. Unset: a free one, remembered."
    )
    cache_dir: Path | None = Field(
        None, description="Where Kafka's jars are kept. Unset: this user's cache folder."
    )
    maven_mirror: Mirror | None = Field(
        None,
        description="A mirror of Maven Central to fetch Kafka's jars from.",
    )

    @checked(mode="after")
    def _whole(self) -> Self:
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_user and self.kafka_password
        ):
            raise ValueError(
                f"{PREFIX}KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} needs"
                f" {PREFIX}KAFKA_USER and {PREFIX}KAFKA_PASSWORD."
            )
        if self.kafka_ca_file is not None and not self.kafka_ca_file.is_file():
            raise ValueError(f"{PREFIX}KAFKA_CA_FILE: {self.kafka_ca_file} is not a file.")
        if (self.tls_cert_file is None) is not (self.tls_key_file is None):
            raise ValueError(f"Set {PREFIX}TLS_CERT_FILE and {PREFIX}TLS_KEY_FILE, or neither.")
        for name in ("tls_cert_file", "tls_key_file"):
            file = getattr(self, name)
            if file is not None and not file.is_file():
                raise ValueError(f"{PREFIX}{name.upper()}: {file} is not a file.")
        return self


class BadSettings(Exception):
    """Some variables can't be used; one line each says which and what to give instead."""


def read_settings(**chosen: Any) -> Settings:
    """The environment's settings; `chosen` ones, from the command line, go before them.

    Raises:
        BadSettings: a value is not usable.
    """
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        # `from None`: pydantic's own text quotes the values, passwords included.
        raise BadSettings("\n".join(sorted(map(_line, error.errors())))) from None


def unknown_variables(names: Iterable[str] | None = None) -> list[str]:
    """Variables with our prefix that mean nothing: most likely misspelt."""
    present = os.environ if names is None else names
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted(
        name
        for name in present
        if name.startswith(PREFIX) and name not in known and not name.startswith(f"{PREFIX}TEST_")
    )


def _line(error: ErrorDetails) -> str:
    said = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return said
    name = str(error["loc"][0])
    return f"{PREFIX}{name.upper()}: {said.rstrip('.')}. (It means: {_meaning(name)})"


def _meaning(name: str) -> str:
    field = Settings.model_fields.get(name)
    return (field.description or "") if field else "no setting of this name."
