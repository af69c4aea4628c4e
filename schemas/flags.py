"""Flags: true or false, and nothing that has to be guessed at."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_TWINS: Final = {"true": True, "false": False, "1": True, "0": False, 1: True, 0: False}
"""What tills send where they mean a flag; `yes` and `on` mean something else to everybody."""


@dataclass(frozen=True, slots=True)
class _PlainFlag:
    """Reads the twins; what is kept is always true or false."""

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        flag = core_schema.bool_schema(strict=True)
        twins = core_schema.literal_schema(list(_TWINS))
        return core_schema.no_info_before_validator_function(
            _read, flag, json_schema_input_schema=core_schema.union_schema([flag, twins])
        )


def _read(value: Any) -> Any:
    # 1.0 and Decimal(1) have the hash of 1, but are no flags.
    return _TWINS.get(value, value) if isinstance(value, str | int) else value


Flag = Annotated[bool, _PlainFlag()]
"""A flag of a command: `true`, and its twins `"true"`, `1` and `"1"`; likewise false."""
