"""`ledger user`: who may sign in to the console."""

import getpass
import sys
from enum import StrEnum
from typing import Annotated

import typer

from api.administrators import LastAdministrator
from api.documents.access import user_document
from api.passwords import LENGTH_MAX, LENGTH_MIN
from api.users import NAME, NewUser, UserChanges, UserExists, Users, weakness
from app.cli.access import told, with_pool
from app.cli.console import MISUSED, fail, say
from app.cli.options import AsJson, DataDir

group = typer.Typer(help="Users of the console.", no_args_is_help=True)


class GivenRole(StrEnum):
    """What a user may do."""

    READ_ONLY = "read-only"
    STAFF = "staff"
    ADMIN = "admin"


UserName = Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits, . _ -")]


@group.callback()
def _group() -> None:
    pass


@group.command("create")
def create(
    name: UserName,
    role: Annotated[GivenRole, typer.Option("--role", help="What the user may do.")],
    data_dir: DataDir = None,
) -> None:
    """Let somebody sign in to the console. Asks for the password, or reads it from the input."""
    if NAME.fullmatch(name) is None:
        fail("NAME: give 1 to 64 small letters, digits, or . _ -.", MISUSED)
    new = NewUser(name, role.value, _password(name))
    try:
        with_pool(data_dir, lambda pool: Users(pool).create(new))
    except UserExists:
        fail(f"there is a user {name}; `ledger user change` changes it.")
    say(f"{name} can sign in as {role.value}.")


@group.command("list")
def list_all(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show the users, disabled ones too."""
    rows = with_pool(data_dir, lambda pool: Users(pool).list())
    names = ("name", "role", "created_at", "signed_in_at", "disabled_at")
    told([user_document(row) for row in rows], names, as_json=as_json)


@group.command("change")
def change(
    name: UserName,
    role: Annotated[GivenRole | None, typer.Option("--role", help="Another role.")] = None,
    password: Annotated[
        bool, typer.Option("--password", help="A new password: asked for, or read from the input.")
    ] = False,
    disabled: Annotated[
        bool | None, typer.Option("--disable/--enable", help="Shut the user out, or in again.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Give a user another role or password, or shut the user out."""
    changes = UserChanges(
        role=None if role is None else role.value,
        password=_password(name) if password else None,
        disabled=disabled,
    )
    try:
        row = with_pool(data_dir, lambda pool: Users(pool).change(name, changes))
    except LastAdministrator as error:
        fail(str(error))
    if row is None:
        fail(f"there is no user {name}.")
    say(f"{name} is changed.")


def _password(name: str) -> str:
    """Typed twice at a terminal; elsewhere the first line of the input."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Once more: "):
            fail("the two are not the same.", MISUSED)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        fail(f"give a password of {LENGTH_MIN} to {LENGTH_MAX} characters.", MISUSED)
    weak = weakness(name, password)
    if weak is not None:
        fail(f"{weak}", MISUSED)
    return password
