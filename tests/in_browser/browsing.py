"""A browser for tests: the one that is installed, and someone at it who notes what goes wrong."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright
from playwright.async_api import Request as Requested

WANTED = "LEDGER_TEST_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OWN = Path.home() / ".cache" / "ms-playwright"
OWN_NAMES = ("chrome-headless-shell", "headless_shell", "chrome")
HOW_TO_GET_ONE = (
    "The console is tested in a real browser, and none is here. Install Chromium"
    " (`apt-get install chromium`, `dnf install chromium`, `brew install --cask chromium`, or"
    f" `.venv/bin/playwright install --with-deps chromium`), or name one in {WANTED}."
)
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = (320, 768, 1440)


class NoBrowser(Exception):
    """There is none to test with."""


def installed() -> Path | None:
    """Chromium's program: the one that is named, one on the path, or Playwright's own."""
    named = os.environ.get(WANTED)
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return Path(found)
    own = (path for name in OWN_NAMES for path in OWN.glob(f"chromium*/*/{name}"))
    return next(own, None)


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """A browser without a window.

    Raises:
        NoBrowser: there is none; the message says how to get one.
    """
    program = installed()
    if program is None:
        raise NoBrowser(HOW_TO_GET_ONE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=OPTIONS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visitor:
    """Someone at the console, with a page of their own."""

    url: str
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)
    """What a browser complains of, and requests to any other host."""

    @classmethod
    async def arrive(cls, browser: Browser, url: str, **options: object) -> "Visitor":
        """Open a window of their own."""
        context = await browser.new_context(locale="en-AU", **options)  # type: ignore[arg-type]
        visitor = cls(url, context, await context.new_page())
        visitor.page.on("console", visitor._said)
        visitor.page.on("pageerror", lambda error: visitor.faults.append(f"script: {error}"))
        visitor.page.on("request", visitor._asked)
        await context.add_init_script(
            "document.addEventListener('securitypolicyviolation',"
            " e => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI))"
        )
        return visitor

    def _said(self, message: ConsoleMessage) -> None:
        # A status of 4xx is an answer like any other; the browser notes it all the same.
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.faults.append(f"{message.type}: {message.text}")

    def _asked(self, request: Requested) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(self.url).netloc:
            self.faults.append(f"asked another host: {request.url}")

    async def go(self, path: str) -> int:
        """Go to a page of the console; its status."""
        answer = await self.page.goto(f"{self.url}/console{path}")
        assert answer is not None
        return answer.status

    async def sign_in(self, token: str) -> None:
        """With a token of the API."""
        await self.go("/sign-in")
        await self.page.get_by_label("Token").fill(token)
        await self.page.locator("form", has_text="API token").get_by_role("button").click()
        await self.page.get_by_role("button", name="Sign out").wait_for()

    async def sign_in_as(self, name: str, password: str) -> None:
        """With a name and a password."""
        await self.go("/sign-in")
        await self.page.get_by_label("Name").fill(name)
        await self.page.get_by_label("Password").fill(password)
        await self.page.locator("form", has_text="With your name").get_by_role("button").click()
        await self.page.get_by_role("button", name="Sign out").wait_for()

    async def press(self, name: str) -> None:
        """A button or a link with these words."""
        found = self.page.get_by_role("button", name=name, exact=True).or_(
            self.page.get_by_role("link", name=name, exact=True)
        )
        await found.first.click()

    async def form(self) -> dict[str, str]:
        """What the page's form would send."""
        script = "Object.fromEntries(new FormData(document.querySelector('main form')))"
        found: dict[str, str] = await self.page.evaluate(script)
        return found

    async def post(
        self, form: dict[str, str], to: str | None = None, **headers: str
    ) -> httpx.Response:
        """Send a form to this page with the cookies of this browser, and no script's help."""
        cookies = {each["name"]: each["value"] for each in await self.context.cookies()}
        async with httpx.AsyncClient(trust_env=False, cookies=cookies, timeout=30) as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.post(to or self.page.url, data=form, headers=named)

    async def text(self) -> str:
        """What the page says."""
        return await self.page.locator("main").inner_text()
