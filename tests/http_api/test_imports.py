"""Imports over HTTP: taken in, checked, confirmed, written; what was rejected comes back."""

import asyncio
from typing import Any

import httpx
import pytest
from http_api.ledger_client import Api, refused

from api.bodies import IMPORT_BYTES_MAX
from ledger.imports.worker import ImportWorker
from ledger.submission import Submission

HEAD = "PROFILE_ID,EMAIL,REWARD_DEFINITION_HANDLE,VALUE_INITIAL,EXPIRES_AT"
GOOD = "p-1,,birthday,5.50,"
HANDLER = "omneo:reward"


def csv(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join((head, *rows, "")).encode()


@pytest.fixture(autouse=True)
async def definition(api: Api) -> None:
    await api.define(handle="birthday")


def worker(api: Api) -> ImportWorker:
    found = api.services.imports
    assert isinstance(found, ImportWorker)
    return found


async def send(api: Api, content: bytes, query: str = "", **fields: str) -> httpx.Response:
    """As a browser does."""
    headers = {"authorization": f"Bearer {api.token}"}
    key = fields.pop("idempotency_key", None)
    if key is not None:
        headers["idempotency-key"] = key
    return await api.client.post(
        f"/api/v3/imports{query}",
        files={"file": ("rewards.csv", content, "text/csv")},
        data={"handler": HANDLER, "create_profiles": "true"} | fields,
        headers=headers,
    )


async def taken(api: Api, content: bytes, **fields: str) -> Any:
    response = await send(api, content, **fields)
    assert response.status_code == 201, response.text
    return response.json()["data"]


async def done(api: Api, content: bytes, **fields: str) -> Any:
    """An import after all its work."""
    made = await taken(api, content, **fields)
    await worker(api).work()
    return await api.data(f"/imports/{made['id']}")


async def test_a_file_is_checked_and_written(api: Api) -> None:
    made = await taken(api, csv(GOOD, "p-2,,birthday,,"))
    assert (made["status"], made["phase"], made["count"]) == ("PENDING", "checking", 0)
    await worker(api).work()
    found = await api.data(f"/imports/{made['id']}")
    assert (found["status"], found["phase"], found["progress"]) == ("SUCCESS", "written", 100)
    assert (found["count"], found["written_count"], found["failed_count"]) == (2, 2, 0)
    assert [(each["count"], each["value"]) for each in found["totals"]] == [(2, 15.5)]
    assert await api.balance("p-1") == 5.5
    assert await api.ids("/imports") == [made["id"]]


async def test_a_dry_run_waits_for_its_confirmation(api: Api) -> None:
    before = await api.head()
    found = await done(api, csv(GOOD), dry_run="true")
    assert (found["status"], found["phase"]) == ("SUCCESS", "checked")
    assert await api.head() == before
    response = await api.post(f"/imports/{found['id']}/confirm")
    assert response.status_code == 200
    assert response.json()["data"]["status"] == "PENDING"
    await worker(api).work()
    assert (await api.data(f"/imports/{found['id']}"))["phase"] == "written"
    assert await api.balance("p-1") == 5.5
    again = await api.post(f"/imports/{found['id']}/confirm")
    assert again.json()["data"]["phase"] == "written"


async def test_rejected_rows_come_back_and_are_sent_again(api: Api) -> None:
    found = await done(api, csv(GOOD, ",eve@example.org,birthday,1,", "p-2,,birthday,x,"))
    assert (found["status"], found["failed_count"], found["written_count"]) == ("SUCCESS", 2, 1)
    failed = await api.get(f"/imports/{found['id']}/failed")
    assert failed.headers["content-type"] == "text/csv; charset=utf-8"
    lines = failed.text.splitlines()
    assert lines[0] == f"{HEAD},LINE,ERROR"
    assert lines[1].startswith(',eve@example.org,birthday,1,,3,"EMAIL: No profile')
    corrected = "\n".join((lines[0], lines[2].replace(",x,", ",7,"), ""))
    again = await done(api, corrected.encode())
    assert (again["failed_count"], again["written_count"]) == (0, 1)
    assert await api.balance("p-2") == 7


async def test_the_file_is_sealed_and_gone_when_it_is_done(api: Api) -> None:
    await taken(api, csv(GOOD, ",eve@example.org,birthday,1,"))
    sealed = "SELECT kind, sealed FROM ledger.import_parts"
    for row in await api.services.pool.fetch(sealed):
        assert row["sealed"].startswith("sealed:v1:")
    await worker(api).work()
    assert [row["kind"] for row in await api.services.pool.fetch(sealed)] == ["rejected"]
    live = "SELECT count(*) FROM ledger.personal_keys WHERE destroyed_at IS NULL"
    assert await api.services.pool.fetchval(live) == 1
    api.clock.forward(days=20_000)
    await worker(api).kept.forget(api.clock())
    assert await api.services.pool.fetchval(live) == 0
    (found,) = await api.data("/imports")
    assert found["failed_count"] == 1
    refused(await api.get(f"/imports/{found['id']}/failed"), 404, "import_not_found")


async def test_what_was_never_confirmed_is_forgotten(api: Api) -> None:
    found = await done(api, csv(GOOD), dry_run="true")
    api.clock.forward(days=20_000)
    await worker(api).kept.forget(api.clock())
    after = await api.data(f"/imports/{found['id']}")
    assert (after["status"], after["error"]) == ("FAILED", "It was not confirmed in time.")
    refused(await api.post(f"/imports/{found['id']}/confirm"), 409, "import_not_checked")


async def test_it_goes_on_after_a_process_that_died(api: Api) -> None:
    made = await taken(api, csv(*(f"p-{n},,birthday,1," for n in range(120))))
    cut = worker(api)
    submitted = 0

    async def submit_some(submissions: "list[Submission]") -> Any:
        nonlocal submitted
        submitted += 1
        if submitted > 1:
            working.cancel()
        return await api.services.committer.submit_all(submissions)

    whole, cut.submit_all = cut.submit_all, submit_some  # type: ignore[assignment]
    working = asyncio.create_task(cut.work())
    with pytest.raises(asyncio.CancelledError):
        await working
    cut.submit_all = whole
    assert (await api.data(f"/imports/{made['id']}"))["status"] == "PROCESSING"
    await cut.work()
    found = await api.data(f"/imports/{made['id']}")
    assert (found["phase"], found["written_count"]) == ("written", 120)
    issued = "SELECT count(*) FROM ledger.events WHERE type = 'RewardIssued'"
    assert await api.services.pool.fetchval(issued) == 120


async def test_one_worker_at_a_time(api: Api) -> None:
    made = await taken(api, csv(GOOD))
    async with api.services.pool.acquire() as other:
        await other.execute("SELECT pg_advisory_lock(7236452, 2)")
        await worker(api).work()
        assert (await api.data(f"/imports/{made['id']}"))["status"] == "PENDING"
        await other.execute("SELECT pg_advisory_unlock(7236452, 2)")
    await worker(api).work()
    assert (await api.data(f"/imports/{made['id']}"))["status"] == "SUCCESS"


async def test_the_same_file_sent_twice_is_written_once(api: Api) -> None:
    await done(api, csv(GOOD))
    again = await done(api, csv(GOOD))
    assert again["written_count"] == 1
    assert await api.balance("p-1") == 5.5


async def test_a_repeat_under_its_key_is_the_same_import(api: Api) -> None:
    first = await taken(api, csv(GOOD), idempotency_key="k-1")
    again = await send(api, csv(GOOD), idempotency_key="k-1")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["data"]["id"] == first["id"]
    other = await send(api, csv("p-9,,birthday,,"), idempotency_key="k-1")
    refused(other, 422, "idempotency_key_reused")
    assert len(await api.ids("/imports")) == 1


async def test_a_trial_of_the_request_keeps_nothing(api: Api) -> None:
    response = await send(api, csv(GOOD), "?dry_run=true")
    assert response.status_code == 200
    assert response.json()["data"]["id"] is None
    assert await api.ids("/imports") == []


async def test_an_import_that_is_called_off_writes_nothing(api: Api) -> None:
    made = await taken(api, csv(GOOD))
    assert (await api.delete(f"/imports/{made['id']}")).status_code == 204
    await worker(api).work()
    refused(await api.get(f"/imports/{made['id']}"), 404, "import_not_found")
    assert await api.services.pool.fetchval("SELECT count(*) FROM ledger.import_parts") == 0


async def test_confirming_before_the_check_is_refused(api: Api) -> None:
    made = await taken(api, csv(GOOD), dry_run="true")
    refused(await api.post(f"/imports/{made['id']}/confirm"), 409, "import_not_checked")


async def test_limits_of_staff_hold_for_imports(api: Api) -> None:
    await api.changed("/programme/settings", {"issue_max": 5})
    scopes = ["create-imports", "read-imports"]
    api.token = await api.services.tokens.create("staff", scopes)
    found = await done(api, csv(GOOD))
    assert (found["failed_count"], found["written_count"]) == (1, 0)
    assert "(limit_exceeded)" in (await api.get(f"/imports/{found['id']}/failed")).text


async def test_unknown_profiles_are_rejected_unless_they_may_be_made(api: Api) -> None:
    found = await done(api, csv(GOOD), create_profiles="false")
    assert (found["failed_count"], found["written_count"]) == (1, 0)


@pytest.mark.parametrize(
    ("content", "fields", "at_fault"),
    [
        (b"", {}, "file"),
        (b"NAME\nx\n", {}, "file"),
        (b"PK\x03\x04\x00", {}, "file"),
        (csv(GOOD), {"handler": "omneo:profile"}, "handler"),
        (csv(GOOD), {"dry_run": "perhaps"}, "dry_run"),
        (csv(GOOD), {"dryrun": "true"}, "dryrun"),
    ],
)
async def test_what_is_no_import_is_refused(
    api: Api, content: bytes, fields: dict[str, str], at_fault: str
) -> None:
    refused(await send(api, content, **fields), 422, "validation_failed", at_fault)
    assert await api.ids("/imports") == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 422),
        (b"", "multipart/form-data; boundary=x", 422),
        (b"--x\r\nrubbish", "multipart/form-data; boundary=x", 400),
        (b"--x", "multipart/form-data", 400),
        (b"x" * (IMPORT_BYTES_MAX + 1), "multipart/form-data; boundary=x", 413),
    ],
)
async def test_a_body_nobody_can_read_is_refused(
    api: Api, content: bytes, kind: str, status: int
) -> None:
    response = await api.send_bytes("POST", "/imports", content, content_type=kind)
    assert response.status_code in (status, 422), response.text
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_body_that_grows_too_large_is_stopped(api: Api) -> None:
    async def endless() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        for _ in range(IMPORT_BYTES_MAX // 1_000_000 + 2):
            yield b"x" * 1_000_000

    headers = {
        "authorization": f"Bearer {api.token}",
        "content-type": "multipart/form-data; boundary=x",
    }
    response = await api.client.post("/api/v3/imports", content=endless(), headers=headers)
    refused(response, 413, "body_too_large")


async def test_the_rejected_rows_come_one_by_one(api: Api) -> None:
    """As they were in the file, whatever a spreadsheet would make of them."""
    bad = ("=p-2,,birthday,x,", "p-3,,nothing,1,", 'p-4,,"birth,day",1,', '"p-5,birthday')
    found = await done(api, csv(GOOD, *bad), dry_run="true")
    assert (found["phase"], found["failed_count"]) == ("checked", 4)
    path = f"/imports/{found['id']}/rejected-rows"
    page = (await api.get(f"{path}?page[size]=3")).json()
    assert (page["meta"]["total"], page["meta"]["last_page"]) == (4, 2)
    rows = page["data"] + (await api.get(page["links"]["next"])).json()["data"]
    assert [row["line"] for row in rows] == [3, 4, 5, 6]
    assert all(row["error"] for row in rows)
    first, _, third, last = (row["cells"] for row in rows)
    assert first == {
        "PROFILE_ID": "=p-2",
        "EMAIL": "",
        "REWARD_DEFINITION_HANDLE": "birthday",
        "VALUE_INITIAL": "x",
        "EXPIRES_AT": "",
    }
    assert third["REWARD_DEFINITION_HANDLE"] == "birth,day"
    assert last["PROFILE_ID"] == '"p-5,birthday'


async def test_without_rejected_rows_there_are_none(api: Api) -> None:
    found = await done(api, csv(GOOD))
    assert await api.data(f"/imports/{found['id']}/rejected-rows") == []
    refused(await api.get("/imports/99/rejected-rows"), 404, "import_not_found")


async def test_rejected_rows_are_kept_for_a_week(api: Api) -> None:
    found = await done(api, csv("p-1,,nothing,1,"))
    api.clock.forward(days=20_000)
    await worker(api).kept.forget(api.clock())
    answer = await api.get(f"/imports/{found['id']}/rejected-rows")
    refused(answer, 404, "import_not_found")
