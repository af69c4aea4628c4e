"""Sealing and opening with a key that is at hand: AES-256-GCM, pure but for the nonce's dice.

A sealed text says which key opens it: `sealed:v1:<key_id>:<base64url(nonce | ciphertext)>`.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX: Final = "sealed:v1:"
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_DOMAIN: Final = b"rewards-ledger/personal:v1:"


class Unopenable(Exception):
    """A sealed text is damaged, or it is not this key that opens it."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one profile's personal data, or of one sale of nobody's."""

    key_id: UUID
    secret: bytes = field(repr=False)


def seal(fields: Mapping[str, Any], key: DataKey) -> str:
    """The fields as a text that only this key opens."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(key.secret).encrypt(nonce, orjson.dumps(fields), _bound_to(key.key_id))
    return f"{PREFIX}{key.key_id}:{base64.urlsafe_b64encode(nonce + sealed).decode().rstrip('=')}"


def unseal(sealed: str, key: DataKey) -> dict[str, Any]:
    """What was sealed.

    Raises:
        Unopenable: it is damaged, or sealed under another key.
    """
    text = sealed.rpartition(":")[2]
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        nonce, ciphertext = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        clear = AESGCM(key.secret).decrypt(nonce, ciphertext, _bound_to(key.key_id))
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise Unopenable(f"key {key.key_id} does not open what names it") from error
    fields: dict[str, Any] = orjson.loads(clear)
    return fields


def key_id_of(sealed: str) -> UUID:
    """Which key opens a sealed text.

    Raises:
        Unopenable: it is no sealed text.
    """
    try:
        if not sealed.startswith(PREFIX):
            raise ValueError
        return UUID(sealed[len(PREFIX) :].partition(":")[0])
    except ValueError:
        raise Unopenable("not a sealed text of version 1") from None


def _bound_to(key_id: UUID) -> bytes:
    return _DOMAIN + key_id.bytes
