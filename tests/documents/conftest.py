"""The whole API for documents that are carried out."""

from http_api.conftest import api

__all__ = ["api"]
