"""`python -m schemas.catalog`: write the catalog, unless that would break somebody."""

import sys

from schemas.catalog import FOLDER, committed, documents, text_of
from schemas.catalog.compatibility import problems


def main() -> int:
    """Write what is new or has grown."""
    new = documents()
    found = problems(committed(), new)
    if found:
        sys.stderr.write("".join(f"{problem}\n" for problem in found))
        return 1
    for name, schema in new.items():
        path = FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text_of(schema), encoding="utf-8")
    sys.stdout.write(f"{len(new)} schemas are in {FOLDER}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
