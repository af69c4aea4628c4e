"""Keyed tokens of what is personal: equal texts have equal tokens, and nothing else is to be seen.

Without the secret a token can't be computed, so nobody can try names against a copy of the
database. Whole values are found exactly; names also by what most of their letters have in common.
"""

import hmac
import re
import unicodedata
from typing import Final, Literal

from ledger.personal.master import derived

Kind = Literal["name", "email", "phone", "identity"]

TOKEN_BYTES: Final = 16
TOKENS_MAX: Final = 200
"""So many of one text; a longer name is found by its beginning."""

PHONE_END: Final = 8

EMAIL: Final = "email"
"""The handle of identities that are e-mail addresses."""

_WORD: Final = re.compile(r"[^\W_]+")


class Tokenizer:
    """Makes the tokens of one deployment, from its secret."""

    def __init__(self, secret: bytes) -> None:
        kinds: tuple[Kind, ...] = ("name", "email", "phone", "identity")
        self._keys = {kind: derived(secret, f"index/{kind}") for kind in kinds}
        self._identities = derived(secret, "identities")

    def tokens(self, kind: Kind, text: str) -> frozenset[bytes]:
        """What a text is found by; none where it has neither letters nor digits."""
        return frozenset(self._token(kind, part) for part in _parts(kind, text))

    def whole_words(self, text: str) -> list[bytes]:
        """Of the tokens of a name those of its words, the longest first: few have that one."""
        words = sorted(name_words(text), key=lambda word: (-len(word), word))
        return [self._token("name", f"={word}") for word in dict.fromkeys(words)]

    def identity_name(self, handle: str, identifier: str) -> str:
        """The name under which an identity is unique: it tells nobody which one it is.

        Space around an identifier means nothing, nor does the case of an e-mail.
        """
        plain = unicodedata.normalize("NFC", identifier).strip()
        text = f"{handle}\x00{plain.lower() if handle == EMAIL else plain}"
        return hmac.digest(self._identities, text.encode(), "sha256").hex()

    def _token(self, kind: Kind, part: str) -> bytes:
        return hmac.digest(self._keys[kind], part.encode(), "sha256")[:TOKEN_BYTES]


def _parts(kind: Kind, text: str) -> list[str]:
    if kind == "name":
        return _name_parts(text)
    if kind == "phone":
        return _phone_parts(text)
    folded = unicodedata.normalize("NFKC", text).strip()
    if kind in ("email", "identity"):
        folded = folded.casefold()
    return [folded] if folded else []


def _phone_parts(text: str) -> list[str]:
    """The whole number, and its end: the same with and without the country's code."""
    digits = "".join(str(int(each)) for each in text if each.isdecimal())
    if not digits:
        return []
    return [f"={digits}", digits[-PHONE_END:]] if len(digits) > PHONE_END else [f"={digits}"]


def name_words(text: str) -> list[str]:
    """The words of a name, without accents and capitals."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return _WORD.findall("".join(each for each in plain if not unicodedata.combining(each)))


def _name_parts(text: str) -> list[str]:
    """Each word whole, and its trigrams with the edges of the word: typos leave most of them."""
    parts: dict[str, None] = {}
    for word in name_words(text):
        parts[f"={word}"] = None
        edged = f"  {word} "
        for start in range(len(edged) - 2):
            parts[edged[start : start + 3]] = None
    return list(parts)[:TOKENS_MAX]
