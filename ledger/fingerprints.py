"""What tells a repeat of a command from another command under the same name."""

import hashlib
import hmac

import orjson

from schemas.commands import Command


def fingerprint(command: Command, key: bytes) -> bytes:
    """What tells a repeat from another request: keyed, so that it betrays nothing of the body.

    A field left out and one that says its default are the same request, but where null says more.
    """
    content = {
        "command": type(command).__name__,
        "fields": command.model_dump(mode="json", exclude_defaults=True),
        "nulls": sorted(
            name
            for name in command.NULL_SAYS_MORE & command.model_fields_set
            if getattr(command, name) is None
        ),
    }
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return hmac.digest(key, text, hashlib.sha256)
