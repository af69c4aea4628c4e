"""pygal, without the hook it puts into every import of the process.

It is for plug-ins of its own, which we have none of, and in a form that Python has given up.
"""

import sys
from typing import Final

import pygal
from pygal.style import Style

__all__ = ["Style", "pygal"]

_HOOK: Final = "PluginImportFixer"
sys.meta_path[:] = [each for each in sys.meta_path if type(each).__name__ != _HOOK]
