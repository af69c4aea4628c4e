"""The shape of what nobody could read: names of fields, and nothing that is said."""

import json

import pytest

from app.operations.masking import SHOWN_MAX, masked


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (
            '{"profile_id": "anna-7", "amount": 12.50, "strict": true',
            '{"profile_id": "xxxx-0", "amount": 00.00, "strict": true',
        ),
        ('{"email": "anna@example.org"}', '{"email": "xxxx@xxxxxxx.xxx"}'),
        ('{"anna@example.org": 1}', '{"xxxx@xxxxxxx.xxx": 0}'),
        ('{"Anna": {"amount": null}}', '{"xxxx": {"amount": null}}'),
        ('{"anna_2": 1}', '{"xxxx_0": 0}'),
        ('["amount", "id"]', '["xxxxxx", "xx"]'),
        ("profile_id,email\nanna,a@b.c", "xxxxxxx_xx,xxxxx\nxxxx,x@x.x"),
        ("nullable truest", "xxxxxxxx xxxxxx"),
        ("Zoë Ünal 王 ☎", "xxx xxxx x x"),
        ('"\\u0041\\n"', '"\\x0000\\x"'),
        ("a\x00b\x1b", "x?x?"),
        ("", ""),
    ],
)
def test_only_names_of_our_fields_are_left(text: str, shape: str) -> None:
    assert masked(text) == shape


def test_no_word_that_was_said_is_in_it() -> None:
    said = {"first_name": "Grace", "meta": {"note": "allergic to nuts", "phone": "+61 400 123"}}
    for text in (json.dumps(said), json.dumps(said)[:-3], json.dumps(json.dumps(said))):
        for word in ("Grace", "allergic", "nuts", "400", "61"):
            assert word not in masked(text)


def test_a_long_one_shows_its_beginning_and_its_end() -> None:
    shape = masked("(" + "a" * 10_000 + ")")
    assert len(shape) < SHOWN_MAX + 40
    assert shape.startswith("(x")
    assert shape.endswith("x)")
    assert "6002 characters" in shape
