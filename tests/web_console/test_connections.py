"""HTTPS by a certificate of one's own or a proxy that is trusted, on a real socket."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from http_api.ledger_client import Api
from web_console.client import COOKIE, a_profile

from app.http_server import HttpServer, Transport, listen, url_of
from console.app import WithConsole, create_console
from console.services import ConsoleServices

NAME = "till.example"


def certificate(folder: Path) -> Transport:
    """A certificate for one name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Transport(cert_file, key_file)


@asynccontextmanager
async def served(services: ConsoleServices, transport: Transport) -> AsyncIterator[str]:
    """API and console on a port of their own; its address."""
    listening = listen("127.0.0.1", 0)
    application = WithConsole(services.api, create_console(services))
    server = HttpServer(application, listening, 5, transport)
    running = asyncio.create_task(server.run())
    try:
        yield url_of(listening, is_tls=transport.cert_file is not None)
    finally:
        services.ending.set()
        await server.stop()
        await asyncio.wait_for(running, 10)


async def test_a_certificate_makes_the_console_answer_everywhere(
    api: Api, services: ConsoleServices, tmp_path: Path
) -> None:
    transport = certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(transport.cert_file))
    async with (
        served(services, transport) as url,
        httpx.AsyncClient(verify=trusting, trust_env=False) as client,
    ):
        name = {"headers": {"Host": NAME}, "extensions": {"sni_hostname": NAME}}
        page = await client.get(f"{url}/console/sign-in", **name)  # type: ignore[arg-type]
        assert page.status_code == 200
        answer = await client.post(
            f"{url}/console/sign-in",
            data={"token": api.token},
            **name,  # type: ignore[arg-type]
        )
        assert answer.headers["set-cookie"].startswith(f"{COOKIE}=")
        plain = url.replace("https:", "http:")
        with pytest.raises(httpx.HTTPError):
            await client.get(f"{plain}/console/sign-in")


async def test_a_proxy_is_believed_only_where_it_is_trusted(services: ConsoleServices) -> None:
    """Its word for HTTPS too, and its word for who asks."""
    https = {"Host": NAME, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    plain = https | {"X-Forwarded-Proto": "http"}
    for trusted, headers, status in (
        (("127.0.0.1",), https, 200),
        (("127.0.0.1",), plain, 403),
        (("192.0.2.1",), https, 403),
        ((), https, 403),
        ((), https | {"Host": "localhost"}, 403),
    ):
        async with (
            served(services, Transport(trusted_proxies=trusted)) as url,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            answer = await client.get(f"{url}/console/sign-in", headers=headers)
            assert answer.status_code == status, (trusted, headers)


async def test_the_server_stops_while_pages_are_live(api: Api, services: ConsoleServices) -> None:
    """Long before it would break a connection off, and each stream ends as it should."""
    name = await a_profile(api)
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        async with served(services, Transport()) as url:
            answer = await client.post(f"{url}/console/sign-in", data={"token": api.token})
            secret = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
            client.cookies.clear()
            live = f"{url}/console/live/profiles/{name}"

            async def follow() -> str:
                answer = await client.get(live, headers={"Cookie": f"{COOKIE}={secret}"})
                return answer.text

            following = [asyncio.create_task(follow()) for _ in range(5)]
            while services.live.total() < len(following):
                await asyncio.sleep(0.01)
        for said in await asyncio.gather(*following):
            assert said.startswith("retry: ")


async def test_who_goes_away_frees_the_stream(api: Api, services: ConsoleServices) -> None:
    name = await a_profile(api)
    secret = await api.services.sessions.open(token=api.token)
    async with (
        served(services, Transport()) as url,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        live = f"{url}/console/live/profiles/{name}"
        headers = {"Cookie": f"{COOKIE}={secret}"}
        async with client.stream("GET", live, headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            await anext(answer.aiter_text())
            assert services.live.total() == 1
        async with asyncio.timeout(10):
            while services.live.total():
                await asyncio.sleep(0.01)
