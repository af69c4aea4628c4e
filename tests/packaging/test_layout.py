"""What the linters can't hold of the layout: who reads the environment, the clock and the dice."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "app", "console", "consumers", "ledger", "projections", "schemas")
BESIDE = {"benchmarks", "examples", "tests"}

READS_THE_ENVIRONMENT = {"app/settings.py"}
PASSES_THE_ENVIRONMENT_ON = {
    "app/embedded/kafka.py",  # Java needs PATH, HOME and TMPDIR
    "app/read_side.py",  # relay and projectors have the settings of the process that starts them
}
JOINS_THE_PARTS = {
    "api.app": {"app/wiring.py", "app/cli/documents.py"},  # the second writes its document down
    "consumers.relay": {"app/wiring.py", "app/running.py"},  # the second tells its faults in words
    "ledger.committer": {
        "app/wiring.py",
        "app/intake.py",  # is handed one
        "app/importing.py",  # the command line's import has its own, for no till waits there
    },
}

NAMES_THAT_SAY_NOTHING = {"utils", "helpers", "common", "manager", "managers", "misc", "info"}
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv"}
CLOCK_AND_DICE = {
    "now",
    "utcnow",
    "today",
    "uuid1",
    "uuid4",
    "urandom",
    "monotonic",
    "perf_counter",
}
FILES = {"open", "read_text", "read_bytes", "write_text", "write_bytes"}


def modules(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    """Every module by its path."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def names_used(module: ast.Module) -> set[str]:
    """Attributes and imported names, whatever they are called on."""
    found = {node.attr for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
    return found


def called(module: ast.Module) -> set[str]:
    """What is called, by its last name, and what is imported by name to be called elsewhere."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found.add(node.func.attr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(node.func.id)
    return found


def imported(module: ast.Module) -> set[str]:
    """The modules a module imports from."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def pure_modules() -> Iterator[tuple[str, ast.Module]]:
    """Those the import contracts call pure."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    pure = [each for contract in contracts if "pure" in contract["name"]
            for each in contract["source_modules"]]  # fmt: skip
    assert len(pure) > 5
    paths = {each.replace(".", "/") for each in pure}
    for path, module in modules("ledger", "schemas"):
        if any(path == f"{each}.py" or path.startswith(f"{each}/") for each in paths):
            yield path, module


def test_one_module_reads_the_environment_and_two_pass_it_on() -> None:
    found = {path for path, module in modules(*PACKAGES) if names_used(module) & ENVIRONMENT}
    assert found == READS_THE_ENVIRONMENT | PASSES_THE_ENVIRONMENT_ON


@pytest.mark.parametrize("part", JOINS_THE_PARTS)
def test_the_parts_are_joined_in_one_place(part: str) -> None:
    found = {path for path, module in modules("app") if part in imported(module)}
    assert found <= JOINS_THE_PARTS[part]


def test_only_demo_data_make_up_a_past() -> None:
    """Nobody else decides a command as of another moment than now."""
    found = {
        path
        for path, module in modules(*PACKAGES)
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Submission"
        if "as_of" in {each.arg for each in node.keywords}
    }
    assert found == {"app/demo/filling.py"}


def test_what_is_pure_reads_no_clock_and_throws_no_dice() -> None:
    """`uuid` and `datetime` are types there, never a source of new values."""
    found = {path: called(module) & CLOCK_AND_DICE for path, module in pure_modules()}
    assert {path: names for path, names in found.items() if names} == {}


def test_what_is_pure_reads_no_files() -> None:
    """But for the catalog, which writes the contract down."""
    found = {path for path, module in pure_modules() if called(module) & FILES}
    assert {path for path in found if not path.startswith("schemas/catalog/")} == set()


def test_there_is_nothing_beside_the_packages() -> None:
    """A stray module at the top would be in no layer."""
    assert [path.name for path in ROOT.glob("*.py")] == []
    found = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert found == {*PACKAGES, *BESIDE}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(settings["tool"]["importlinter"]["root_packages"]) == set(PACKAGES)


def test_every_module_has_a_name_that_says_something() -> None:
    for path, _ in modules(*PACKAGES, *sorted(BESIDE)):
        assert not {Path(path).stem, *Path(path).parent.parts} & NAMES_THAT_SAY_NOTHING, path
