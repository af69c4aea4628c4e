"""How fast the hot paths are, each beside something else measured in the same run."""
