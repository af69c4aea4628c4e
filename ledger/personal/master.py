"""The master key: it wraps every key of personal data, and is kept apart from the database.

What is wrapped names its master key by a check value, so that a wrong one is told from a damaged
row, and a change of the master key can be carried through while the old one still opens.
"""

import base64
import binascii
import hmac
import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger.personal.sealing import KEY_BYTES

CHECK_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_DOMAIN: Final = b"rewards-ledger/key:v1:"


class WrongMasterKey(Exception):
    """The database's keys are wrapped by another master key than the one given."""

    def __init__(self) -> None:
        super().__init__(
            "LEDGER_MASTER_KEY is not the master key of this database: what is personal in it was"
            " sealed under another one. Give that key. Without it personal data is lost, while"
            " balances and history are not."
        )


class MasterKeys:
    """The master key that wraps, and those of before it that still open."""

    def __init__(self, current: bytes, previous: Sequence[bytes] = ()) -> None:
        self._keys = {check_value(key): key for key in (*previous, current)}
        self.check = check_value(current)

    def wrap(self, secret: bytes, name: bytes) -> bytes:
        """A secret as the database may keep it, bound to the name it is kept under."""
        nonce = os.urandom(_NONCE_BYTES)
        wrapped = AESGCM(self._keys[self.check]).encrypt(nonce, secret, _DOMAIN + name)
        return self.check + nonce + wrapped

    def unwrap(self, wrapped: bytes, name: bytes) -> bytes:
        """The secret.

        Raises:
            WrongMasterKey: none of ours has wrapped it.
        """
        master = self._keys.get(wrapped[:CHECK_BYTES])
        if master is None:
            raise WrongMasterKey
        nonce = wrapped[CHECK_BYTES : CHECK_BYTES + _NONCE_BYTES]
        sealed = wrapped[CHECK_BYTES + _NONCE_BYTES :]
        try:
            return AESGCM(master).decrypt(nonce, sealed, _DOMAIN + name)
        except InvalidTag:
            raise WrongMasterKey from None


def derived(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose (HKDF-SHA256): it tells nothing of the secret or of other purposes."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"rewards-ledger/{purpose}".encode()).derive(
        secret
    )


def check_value(master: bytes) -> bytes:
    """What tells master keys apart and betrays nothing of them."""
    return hmac.digest(derived(master, "check"), b"rewards-ledger/master-key", "sha256")[
        :CHECK_BYTES
    ]


def new_master_key() -> str:
    """A fresh master key as the setting takes it."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def from_text(text: str) -> bytes:
    """The master key a setting holds.

    Raises:
        ValueError: it isn't 32 bytes in base64.
    """
    try:
        key = base64.b64decode(
            text, altchars=b"-_" if {"-", "_"} & set(text) else None, validate=True
        )
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"Give {KEY_BYTES} random bytes in base64, as `openssl rand -base64 32`.")
    return key
