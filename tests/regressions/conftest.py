"""The API of the tests over HTTP: what others got wrong is told as a client sees it."""

from http_api.conftest import api, settings

__all__ = ["api", "settings"]
