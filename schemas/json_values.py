"""Free-form JSON of a sender's (`meta`, custom fields): kept and given back as it came.

The reader of bodies gives decimals. Inside, such a number is the float with the same shortest
text, so it is stored as a JSON number and comes back digit for digit; it never takes part in
arithmetic. A number no float stands for exactly is refused, not rounded.
"""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, JsonValue


def storable(value: Any) -> Any:
    """The value with every decimal as the float of the same text.

    Raises:
        ValueError: a number has more digits than a JSON number keeps everywhere.
    """
    if isinstance(value, Decimal):
        as_float = float(value)
        if Decimal(repr(as_float)) != value:
            raise ValueError("Give numbers of at most 15 digits here, or quote them.")
        return as_float
    if isinstance(value, dict):
        return {key: storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value


def exact(value: Any) -> Any:
    """The value with every float as the decimal of the same text, for an answer."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    return value


JsonObject = Annotated[dict[str, JsonValue], BeforeValidator(storable)]
"""An object of free form."""
