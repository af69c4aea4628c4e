"""Bodies, paths and parameters nobody can mean are refused on every route; nothing is written."""

from itertools import product

import pytest
from http_api.ledger_client import Api, refused, sale
from http_api.test_bad_fields import GOOD

from api.app import routers
from api.bodies import BATCH
from api.json_body import BATCH_BYTES_MAX, BODY_BYTES_MAX
from api.route import LedgerRoute

ROUTES = {
    f"{method} {route.path.removeprefix('/api/v3')}": route
    for router in routers()
    for route in router.routes
    if isinstance(route, LedgerRoute)
    for method in route.methods or ()
}
WRITES = sorted(name for name in ROUTES if not name.startswith("GET"))
WITH_PATH = {name for name in ROUTES if "{" in name}
BODIES = {
    "nothing": (b"", 422, "validation_failed"),
    "a form": (b"amount=10&strict=true", 400, "body_not_json"),
    "cut off": (b'{"amount": 1', 400, "body_not_json"),
    "UTF-16": ('{"amount": 1}'.encode("utf-16"), 400, "body_not_json"),
    "null": (b"null", 422, "body_not_an_object"),
    "a list": (b"[{}]", 422, "body_not_an_object"),
    "a text": (b'"amount"', 422, "body_not_an_object"),
    "duplicate keys": (b'{"amount": 1, "amount": 2}', 422, "duplicate_key"),
    "duplicate keys inside": (b'{"meta": {"l": [{"a": 1, "a": 2}]}}', 422, "duplicate_key"),
    "the same key in other letters": (b'{"amount": 1, "\\u0061mount": 2}', 422, "duplicate_key"),
    "NaN": (b'{"amount": NaN}', 400, "body_not_json"),
    "1e400": (b'{"amount": 1e400}', 422, "number_out_of_range"),
    "NUL in a key": (b'{"am\\u0000ount": 1}', 422, "unstorable_text"),
    "half of a pair": (b'{"meta": {"a": "\\ud83d"}}', 422, "unstorable_text"),
    "too deep": (b'{"meta": ' + b"[" * 40 + b"]" * 40 + b"}", 422, "body_too_deep"),
    "endlessly deep": (b'{"meta": ' + b"[" * 500_000, 422, "body_too_deep"),
    "a million entries": (b'{"tags": [' + b"1," * 1_000_000 + b"1]}", 413, "body_too_large"),
    "as many as fit": (b'{"tags": [' + b"1," * 500_000 + b"1]}", 422, "validation_failed"),
    "as many keys as fit": (
        b"{" + b",".join(b'"%d":0' % n for n in range(90_000)) + b"}",
        422,
        "validation_failed",
    ),
    "too large": (b'{"name": "' + b"x" * 1_048_576 + b'"}', 413, "body_too_large"),
}
IDS = (
    "0",
    "-1",
    "+1",
    "1.0",
    "1e3",
    "9223372036854775808",
    "9" * 400,
    "abc",
    "%00",
    "%C3%A9",
    "1 ",
)
PROFILES = (
    "anna%40example.org",
    "x" * 65,
    "a%2Fb",
    "a%00",
    "%ED%A0%80",
    "a%20b",
    "%2e%2e%2f",
    "a%0Ab",
    "%F0%9F%8E%82",
)


def url_of(name: str, number: str = "6", profile: str = "p-1") -> tuple[str, str]:
    """A method and a path with these ids in it."""
    method, path = name.split()
    path = path.replace("{profile_id}", profile).replace("{external_id:path}", "t-1")
    path = path.replace("{user_name}", "ada")
    kinds = ("definition", "reward", "redemption", "transaction", "claim", "import", "token")
    for kind in (*kinds, "identity"):
        path = path.replace(f"{{{kind}_id}}", number)
    return method, path


def is_required(route: LedgerRoute) -> bool:
    """Whether a request needs a body."""
    assert route.body_field is not None
    return route.body_field.field_info.is_required()


@pytest.mark.parametrize("route", GOOD, ids=map(" ".join, GOOD))
async def test_bodies_nobody_can_read_are_refused(api: Api, route: tuple[str, str]) -> None:
    method, url = url_of(" ".join(route))
    for name, (content, status, code) in BODIES.items():
        if name == "too large" and url.endswith(BATCH):
            content += b" " * (BATCH_BYTES_MAX - BODY_BYTES_MAX)  # noqa: PLW2901
        if name == "nothing" and not is_required(ROUTES[" ".join(route)]):
            continue  # means the rest, or all of it
        problem = refused(await api.send_bytes(method, url, content), status, code)
        assert problem.errors, name
    assert await api.head() == 0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "*/*"])
async def test_a_body_says_that_it_is_json(api: Api, kind: str) -> None:
    for route in GOOD:
        method, url = url_of(" ".join(route))
        response = await api.send_bytes(method, url, b'{"amount": 1}', content_type=kind)
        problem = refused(response, 422, "validation_failed", "body")
        assert "application/json" in problem.errors["body"][0]


async def test_more_than_an_event_can_hold_is_refused(api: Api) -> None:
    meta = {"note": ["x" * 9_000] * 100}
    answer = await api.post("/transactions", sale(meta=meta), idempotency_key="k-1")
    refused(answer, 422, "command_too_large")
    assert await api.head() == 0


async def test_a_write_without_fields_takes_no_body(api: Api) -> None:
    names = [name for name in WRITES if ROUTES[name].body_field is None]
    assert len(names) > 5
    for name in names:
        method, url = url_of(name)
        for content, status in ((b'{"amount": 1}', 422), (b"{", 400), (b"[1]", 422)):
            response = await api.send_bytes(method, url, content)
            assert response.status_code == status, response.text
            assert response.json()["errors"]["body"]
        assert (await api.send_bytes(method, url, b" {} ")).status_code == 404


async def test_ids_in_paths(api: Api) -> None:
    names = [name for name in WITH_PATH if url_of(name, "6") != url_of(name, "7")]
    assert len(names) > 10
    for name, bad in product(names, IDS):
        method, url = url_of(name, bad)
        body = GOOD.get((method, name.split()[1]))
        problem = refused(await api.send(method, url, body), 422, "validation_failed")
        assert all(key.endswith("_id") for key in problem.errors)
    assert await api.head() == 0


async def test_profiles_in_paths(api: Api) -> None:
    names = [name for name in WITH_PATH if "{profile_id}" in name]
    for name, bad in product(names, PROFILES):
        method, url = url_of(name, profile=bad)
        response = await api.send(method, url, GOOD.get((method, name.split()[1])))
        if "%2F" in bad or "%2f" in bad:  # a slash is a slash, encoded or not
            assert response.status_code in (404, 405, 422), response.text
        else:
            refused(response, 422, "validation_failed", "profile_id")
    assert await api.head() == 0


UNKNOWN = (
    ("dryrun=true", "dryrun"),
    ("page=2", "page"),
    ("%00=1", "\x00"),
    ("filter[nothing", "filter[nothing"),
    ("n" * 900 + "=1", "n" * 200),
)


async def test_parameters_are_known_and_given_once(api: Api) -> None:
    for name, route in ROUTES.items():
        method, url = url_of(name)
        body = GOOD.get((method, name.split()[1]))
        for query, named in UNKNOWN:
            response = await api.send(method, f"{url}?{query}", body)
            assert set(refused(response, 422, "validation_failed").errors) == {named}, name
        for known in sorted(route.known_parameters):
            response = await api.send(method, f"{url}?{known}=1&{known}=1", body)
            problem = refused(response, 422, "validation_failed")
            assert problem.errors == {known: ["Give this parameter once."]}
    assert await api.head() == 0


async def test_dry_run_is_true_or_false(api: Api) -> None:
    for name in WRITES:
        method, url = url_of(name)
        body = GOOD.get((method, name.split()[1]))
        for bad in ("", "yes", "2", "true%00", "tru"):
            response = await api.send(method, f"{url}?dry_run={bad}", body)
            refused(response, 422, "validation_failed", "dry_run")
    assert await api.head() == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/rewards/", 404, "not_found"),
        ("PATCH", "/rewards", 405, "method_not_allowed"),
        ("DELETE", "/transactions/1", 405, "method_not_allowed"),
        ("PUT", "/redemptions/1", 405, "method_not_allowed"),
    ],
)
async def test_paths_and_methods_there_are_not(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    problem = refused(await api.send(method, path), status, code)
    assert status == 404 or problem.headers["allow"]


async def test_no_path_takes_a_method_it_does_not_document(api: Api) -> None:
    """What it does take, `Allow` says: all of it."""
    urls = {url_of(name)[1] for name in ROUTES}
    for url, method in product(sorted(urls), ("GET", "POST", "PUT", "PATCH", "DELETE")):
        takes = {
            each
            for route in ROUTES.values()
            for each in route.methods or ()
            if route.path_regex.match(f"/api/v3{url}")
        }
        if method not in takes:
            problem = refused(await api.send(method, url), 405, "method_not_allowed")
            assert set(problem.headers["allow"].split(", ")) == takes, url


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01 00:00:00",
        "0001-01-01 00:00:01",
        "9999-12-31 23:59:59",
        "2031-03-10T10:00:00+14:00",
    ],
)
async def test_times_at_the_ends_of_the_calendar(api: Api, moment: str) -> None:
    """In a zone that puts them outside the calendar they are refused, elsewhere they are kept."""
    definition = (await api.define())["id"]
    for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Melbourne"):
        body = {"profile_id": "p-1", "reward_definition_id": definition, "timezone": zone}
        response = await api.post("/rewards", body | {"expires_at": moment, "issued_at": moment})
        if response.status_code == 201:
            made = response.json()["data"]
            assert await api.data(f"/rewards/{made['id']}?include=revoked") == made
        else:
            assert response.json()["code"] in ("invalid_reward_terms", "validation_failed")


async def test_the_last_microsecond_there_is_means_infinity_to_the_database(api: Api) -> None:
    body = sale(transacted_at="9999-12-31T23:59:59.999999Z")
    refused(await api.post("/transactions", body), 422, "validation_failed", "transacted_at")


async def test_a_leap_day_and_a_gap_are_times(api: Api) -> None:
    made = await api.issue(
        issued_at="2028-02-29 00:00:00",
        expires_at="2031-10-05 02:30:00",
        timezone="australia/melbourne",
    )
    assert made["timezone"] == "Australia/Melbourne"
    assert made["expires_local_at"] == "2031-10-05 03:30:00"


@pytest.mark.parametrize("zero", [b"-0", b"-0.0", b"0", b'"0"', b'"0.00"', b"0e5"])
async def test_zero_is_no_amount_and_negative_zero_is_zero(api: Api, zero: bytes) -> None:
    problem = await api.send_bytes("POST", "/profiles/p-1/redeem", b'{"amount": ' + zero + b"}")
    refused(problem, 422, "validation_failed", "amount")
    body = b'{"profile_id": "p-1", "reward_definition_id": %d, "value_initial": %s}'
    definition = (await api.define())["id"]
    made = await api.send_bytes("POST", "/rewards", body % (definition, zero))
    assert made.status_code == 201
    assert b'"value_initial":0,' in made.content


async def test_long_names_can_be_kept_and_found(api: Api) -> None:
    """Names are keys of indexes, which hold less than texts do."""
    long = "".join(chr(0x20000 + 97 * n) for n in range(255))
    await api.issue(external_id=long)
    redeemed = await api.redeem(external_id=long, transaction_external_id=long)
    sold = await api.sell(external_id=long)
    assert sold["redemption_id"] == redeemed["id"]
    assert (await api.data(f"/transactions/external/{long}"))["id"] == sold["id"]
    for name in ("", long + "x"):
        answer = await api.post("/transactions", sale(external_id=name))
        refused(answer, 422, "validation_failed", "external_id")
        body = {"amount": 1, "transaction_external_id": name, "external_id": name}
        answer = await api.post("/profiles/p-1/redeem", body)
        refused(answer, 422, "validation_failed", "external_id", "transaction_external_id")
