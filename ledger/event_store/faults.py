"""What an error of PostgreSQL or its driver means: try again, or somebody has to mend something."""

import asyncpg

from ledger.event_store.port import EventStoreBroken, EventStoreUnavailable

FAULTS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the connection broke in the middle of a message
    OSError,
    TimeoutError,
)
"""Everything a call of the driver can end with, but a cancel."""

_RETRIED = (
    "08",  # the connection was lost
    "25P03", "25P04",  # ended: it stood idle, or for too long, in a transaction
    "25006",  # read-only: a standby, until the failover is through
    "40",  # rolled back: deadlock, serialization
    "53",  # no memory, disk or connection left
    "55006", "55P03",  # in use, or its lock was not to be had in time
    "57",  # cancelled, shut down or starting
)  # fmt: skip
"""Classes of SQLSTATE after which the same call may succeed. All others will not go away."""

_REMEDIES = {
    "28": "check the user and the password in the database URL, and the server's pg_hba.conf",
    "3D": "create the database, then run `ledger migrate`",
    "3F": "the database is not migrated: run `ledger migrate`",
    "42501": "GRANT ledger_application TO the role this process logs in with",
    "42P01": "the database is not migrated to this version: run `ledger migrate`",
    "42883": "the database is not migrated to this version: run `ledger migrate`",
    "2D": "the call stood in a transaction: connect directly or through a pooler in session mode",
}


def meaning(error: BaseException) -> EventStoreUnavailable | EventStoreBroken | ValueError:
    """The port's exception for one of FAULTS. Details stay out: they quote the row's contents."""
    if isinstance(error, asyncpg.DataError):
        return ValueError(f"the store can't take this: {error.args[0]}")
    if isinstance(error, ValueError):  # the driver's own: it could not encode an argument
        return ValueError(f"the store can't take this: {error.__cause__ or type(error).__name__}")
    if not isinstance(error, asyncpg.PostgresError):
        return EventStoreUnavailable(repr(error))
    code, message = error.sqlstate or "", error.args[0]
    if code.startswith(_RETRIED):
        return EventStoreUnavailable(f"{message} ({code})")
    remedy = next((text for start, text in _REMEDIES.items() if code.startswith(start)), "")
    return EventStoreBroken(f"{message} ({code})" + (f"; {remedy}" if remedy else ""))
