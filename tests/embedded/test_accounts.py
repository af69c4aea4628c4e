"""PostgreSQL as root and as a normal user, with files an account can and cannot reach."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from embedded.clients import Starter, read_rows, write_row

from app.embedded import EmbeddedServerError, EmbeddedServers, accounts

NORMAL_USER = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="what root's start does needs root")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def _user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


@as_root
def test_root_starts_it_under_an_account_that_can_reach_the_files(open_folder: Path) -> None:
    with EmbeddedServers(open_folder / "data", kafka=False) as embedded:
        asyncio.run(write_row(embedded.servers, "kept"))
    mode = open_folder.stat().st_mode & 0o777
    assert mode == 0o755, "modes above the data directory stay as they are"
    open_folder.chmod(0o700)  # from now on only root can enter
    with EmbeddedServers(open_folder / "data", kafka=False) as embedded:
        assert asyncio.run(read_rows(embedded.servers)) == ["kept"]
    open_folder.chmod(0o755)
    with EmbeddedServers(open_folder / "data", kafka=False) as embedded:
        assert asyncio.run(read_rows(embedded.servers)) == ["kept"]


@as_root
def test_root_starts_it_in_a_namespace_where_no_account_can_reach_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with EmbeddedServers(tmp_path / "data", kafka=False) as embedded:
        identity = Path(f"/proc/{embedded.servers.postgres_pid}/uid_map").read_text().split()
        assert identity == ["65534", "0", "1"]
        asyncio.run(write_row(embedded.servers, "written"))


def test_a_normal_user_starts_both(tmp_path: Path, start_elsewhere: Callable[..., Starter]) -> None:
    """Run by root, the tests become `nobody`; in a namespace, for the interpreter may be root's."""
    before = NORMAL_USER if os.geteuid() == 0 else ()
    if before and not shutil.which(before[0]):
        pytest.skip("no unshare here")
    starter = start_elsewhere(tmp_path / "data", before=before)
    asyncio.run(write_row(starter.servers, "as a normal user"))
    starter.stop()


@as_root
@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
def test_without_account_and_namespace_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "CANDIDATES", ("no-such-account",))
    monkeypatch.setattr(accounts.shutil, "which", lambda _: None)
    with pytest.raises(EmbeddedServerError, match="Run this program as a normal user") as failure:
        EmbeddedServers(tmp_path, kafka=False).start()
    assert failure.value.code == "no_unprivileged_account"
