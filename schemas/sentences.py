"""What is wrong with a field, and how to mend it: one sentence, never with what was sent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

ERRORS_LISTED_MAX: Final = 100
FIELD_LENGTH_MAX: Final = 200
"""Field names are the caller's words too; a megabyte of them is not sent back."""

_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "This field is required.",
    "extra_forbidden": "This field is not known here.",
    "none_required": "This field must be null.",
    "string_type": "Give text.",
    "string_unicode": "Give text without unpaired surrogates.",
    "string_too_long": "Give at most {max_length} characters.",
    "string_too_short": "Give at least {min_length} characters.",
    "string_pattern_mismatch": "Give text of the form {pattern}.",
    "bool_type": "Give true or false.",
    "bool_parsing": "Give true or false.",
    "int_type": "Give a whole number.",
    "int_parsing": "Give a whole number.",
    "int_parsing_size": "Give a smaller whole number.",
    "int_from_float": "Give a whole number.",
    "decimal_type": "Give a decimal number.",
    "decimal_parsing": "Give a decimal number.",
    "decimal_max_places": "Give at most {decimal_places} decimals.",
    "decimal_max_digits": "Give at most {max_digits} digits.",
    "finite_number": "Give a finite number.",
    "greater_than": "Give more than {gt}.",
    "greater_than_equal": "Give {ge} or more.",
    "less_than": "Give less than {lt}.",
    "less_than_equal": "Give {le} or less.",
    "tuple_type": "Give a list.",
    "list_type": "Give a list.",
    "dict_type": "Give an object.",
    "model_type": "Give an object.",
    "model_attributes_type": "Give an object, sent with Content-Type: application/json.",
    "too_long": "Give at most {max_length} entries.",
    "too_short": "Give at least {min_length} entries.",
    "literal_error": "Give one of {expected}.",
    "enum": "Give one of {expected}.",
    "union_tag_invalid": "Give one of {expected_tags}.",
    "union_tag_not_found": "Say which kind it is in {discriminator}.",
    "uuid_type": "Give a UUID.",
    "uuid_parsing": "Give a UUID.",
    "date_type": "Give a date as YYYY-MM-DD.",
    "date_parsing": "Give a date as YYYY-MM-DD.",
    "date_from_datetime_parsing": "Give a date as YYYY-MM-DD.",
}
_UNNAMED_SENTENCE: Final = "This value is not valid here; see the field's description."
_OWN_SENTENCES: Final = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}


def sentences(found: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Pydantic's errors by dotted field path."""
    errors: dict[str, list[str]] = {}
    for error in list(found)[:ERRORS_LISTED_MAX]:
        said = errors.setdefault(_field(error["loc"]), [])
        sentence = _sentence(error)
        if sentence not in said:
            said.append(sentence)
    return errors


def _field(location: Sequence[int | str]) -> str:
    """Give `items.0.quantity` for `("body", "items", 0, "quantity")`, and `body` for the whole."""
    inner = location[1:] or location
    return ".".join(str(part) for part in inner)[:FIELD_LENGTH_MAX]


def _sentence(found: Mapping[str, Any]) -> str:
    """Only sentences we know: pydantic's own repeat parts of the input for some types."""
    kind = found["type"]
    if kind in _OWN_SENTENCES:
        return str(found["msg"]).removeprefix(_OWN_SENTENCES[kind])
    try:
        return _SENTENCES.get(kind, _UNNAMED_SENTENCE).format_map(found.get("ctx") or {})
    except KeyError:
        return _UNNAMED_SENTENCE
