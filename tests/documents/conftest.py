"""The whole API for documents that are carried out."""

from http_api.conftest import api, settings

__all__ = ["api", "settings"]
