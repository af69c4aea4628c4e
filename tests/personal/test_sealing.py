"""Sealing, the master key, and tokens: what they keep, and from whom."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.personal.keys import fresh_key
from ledger.personal.master import (
    MasterKeys,
    WrongMasterKey,
    check_value,
    from_text,
    new_master_key,
)
from ledger.personal.sealing import DataKey, Unopenable, key_id_of, seal, unseal
from ledger.personal.tokens import Tokenizer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=8,
)
FIELDS = {"meta": {"note": "Ada 🎂", "n": 0.1}}


@given(st.dictionaries(st.text(), JSON))
def test_what_is_sealed_is_opened_as_it_was(fields: dict[str, object]) -> None:
    key = fresh_key()
    assert unseal(seal(fields, key), key) == fields


def test_a_sealed_text_names_its_key_and_hides_the_rest() -> None:
    key = fresh_key()
    sealed = seal(FIELDS, key)
    assert re.fullmatch(rf"sealed:v1:{key.key_id}:[A-Za-z0-9_-]+", sealed)
    assert key_id_of(sealed) == key.key_id
    assert "Ada" not in sealed
    assert sealed != seal(FIELDS, key)


def test_another_key_or_a_changed_text_opens_nothing() -> None:
    key, sealed = fresh_key(), seal(FIELDS, key := fresh_key())
    changed = f"{sealed[:-2]}{'A' if sealed[-2] != 'A' else 'B'}{sealed[-1]}"
    for text, tried in (
        (sealed, DataKey(key.key_id, fresh_key().secret)),
        (sealed, DataKey(fresh_key().key_id, key.secret)),
        (changed, key),
        (sealed[:60], key),
        (f"{sealed}é", key),
    ):
        with pytest.raises(Unopenable):
            unseal(text, tried)
    for text in ("", "sealed:v1:", "sealed:v2:" + sealed[10:], "plain text"):
        with pytest.raises(Unopenable):
            key_id_of(text)


def test_a_key_does_not_show_its_secret() -> None:
    key = fresh_key()
    assert key.secret.hex() not in repr(key)
    assert repr(key.secret) not in repr(key)


def test_a_wrapped_key_opens_with_its_master_key_and_under_its_name_only() -> None:
    ours, other = (from_text(new_master_key()) for _ in range(2))
    wrapped = MasterKeys(ours).wrap(b"secret", b"name")
    assert MasterKeys(ours).unwrap(wrapped, b"name") == b"secret"
    assert MasterKeys(other, [ours]).unwrap(wrapped, b"name") == b"secret"
    for master, name in ((MasterKeys(other), b"name"), (MasterKeys(ours), b"another")):
        with pytest.raises(WrongMasterKey, match="LEDGER_MASTER_KEY"):
            master.unwrap(wrapped, name)
    assert check_value(ours) != check_value(other)


@pytest.mark.parametrize("text", ["", "short", "!" * 44, "AAAA" * 11])
def test_a_master_key_is_32_bytes_of_base64(text: str) -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        from_text(text)


def test_tokens_are_equal_for_equal_values_whatever_their_dress() -> None:
    tokens = Tokenizer(b"s" * 32).tokens
    assert tokens("email", " Ada@Example.COM") == tokens("email", "ada@example.com")
    assert tokens("email", "ada@example.com") != tokens("email", "bea@example.com")
    assert tokens("phone", "+61 400 123 456") & tokens("phone", "0400-123-456")
    assert not tokens("phone", "+61 400 123 456") & tokens("phone", "+61 400 123 457")
    assert tokens("name", "José") == tokens("name", "JOSE")
    assert not tokens("name", "—")


def test_a_misspelt_name_shares_most_of_its_tokens() -> None:
    tokens = Tokenizer(b"s" * 32).tokens
    asked = tokens("name", "Katharina")
    near = len(asked & tokens("name", "Catharina Müller"))
    far = len(asked & tokens("name", "Jonathan"))
    assert near > len(asked) / 2 > far


def test_tokens_and_names_of_identities_tell_nothing_without_the_secret() -> None:
    ours, theirs = Tokenizer(b"s" * 32), Tokenizer(b"t" * 32)
    assert not ours.tokens("name", "Ada") & theirs.tokens("name", "Ada")
    assert ours.identity_name("email", "a@b.c") != theirs.identity_name("email", "a@b.c")
    assert ours.identity_name("email", "a@b.c") == ours.identity_name("email", "a@b.c")
    # No two pairs of handle and identifier run into each other.
    assert ours.identity_name("a", "bc") != ours.identity_name("ab", "c")
    assert re.fullmatch("[0-9a-f]{64}", ours.identity_name("card", "1"))
