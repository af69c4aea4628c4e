"""`ledger read-models`: what an operator does when a read model is wrong."""

import asyncio

import asyncpg
from command_line.ledger_command import Up, run_ledger


def ask(up: Up, *arguments: str) -> "tuple[int, str]":
    done = run_ledger("read-models", *arguments, "--data-dir", str(up.data_dir))
    return done.returncode, done.stdout + done.stderr


async def _execute(up: Up, statement: str) -> None:
    connection = await asyncpg.connect(up.ready["database_url"])
    await connection.execute(statement)
    await connection.close()


def test_a_wrong_row_is_found_and_rebuilt(up: Up) -> None:
    up.issue("p-wrong")
    assert up.balance("p-wrong") == 10
    wrong = "UPDATE projections.balances_v1 SET open_lots = '{}' WHERE profile_id = 'p-wrong'"
    asyncio.run(_execute(up, wrong))
    assert up.balance("p-wrong") == 0
    status, said = ask(up, "rebuild", "balances", "--compare-only")
    assert (status, "p-wrong" in said) == (1, True), said
    status, said = ask(up, "rebuild", "balances")
    assert status == 0, said
    assert "is the rebuilt one now" in said
    assert up.balance("p-wrong") == 10


def test_a_parked_stream_is_listed_and_goes_on(up: Up) -> None:
    up.issue("p-parked")
    assert len(up.request("GET", "/api/v3/profiles/p-parked/rewards").json()["data"]) == 1
    park = (
        "UPDATE projections.rewards_v1_streams SET parked_at_version = 3, "
        "parked_reason = 'a fold that failed' WHERE stream_id = 'account-p-parked'"
    )
    asyncio.run(_execute(up, park))
    assert up.request("GET", "/readyz").json()["status"] == "degraded"
    status, said = ask(up, "list")
    assert status == 0
    assert "parked: account-p-parked at version 3" in said
    assert "a fold that failed" in said
    status, said = ask(up, "unpark", "rewards", "account-p-parked")
    assert status == 0, said
    assert "up to date" in said
    assert "parked" not in ask(up, "list")[1]
