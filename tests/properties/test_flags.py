"""What a flag may be called, and that what is kept is true or false."""

from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from schemas.flags import Flag

FLAG: TypeAdapter[bool] = TypeAdapter(Flag)
SAID = Draft202012Validator(FLAG.json_schema())


@pytest.mark.parametrize("value", [True, "true", "1", 1])
def test_true_has_four_names(value: Any) -> None:
    assert FLAG.validate_python(value) is True
    assert SAID.is_valid(value)


@pytest.mark.parametrize("value", [False, "false", "0", 0])
def test_false_has_four_names(value: Any) -> None:
    assert FLAG.validate_python(value) is False
    assert SAID.is_valid(value)


@pytest.mark.parametrize(
    "value", ["no", "yes", "on", "TRUE", " true", "", "2", 2, -1, None, [], {}]
)
def test_nothing_else_is_a_flag(value: Any) -> None:
    with pytest.raises(ValidationError):
        FLAG.validate_python(value)
    assert not SAID.is_valid(value)


def test_a_number_with_decimals_is_none() -> None:
    for value in (Decimal("1.0"), Decimal(0), 1.0):
        with pytest.raises(ValidationError):
            FLAG.validate_python(value)
