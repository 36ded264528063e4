"""A real browser for the page, and what looks at it: Chromium, and axe from npm."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from ha_bridge_ops.local import ask
from ha_bridge_ops.local.tools import locked, tools_folder

#: Seconds for something to appear, on a machine that has much to do.
PATIENCE_S = 60

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",
)

WIDE = (1280, 900)
PHONE = (390, 844)


@cache
def why_no_browser() -> str | None:
    """Return why there is no browser; where it may be installed, it is."""
    if not _found() and os.geteuid() == 0 and shutil.which("apt-get"):
        _install()
    return None if _found() else "Chromium and chromedriver are not installed"


def _install() -> None:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = ["chromium", "chromium-driver", "fonts-dejavu-core"]
    with apt_lock():
        if _found():
            return
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages],
        ):
            subprocess.run(command, env=environ, check=True, capture_output=True)


def apt_lock() -> FileLock:
    """Let one worker at a time run apt-get, which fails where another one runs."""
    return locked(tools_folder() / "apt")


def _found() -> bool:
    return all(shutil.which(name) for name in ("chromium", "chromedriver"))


def browser_or_skip() -> None:
    """Skip where there is no browser; in CI that is a failure."""
    if reason := why_no_browser():
        pytest.skip(reason)


@cache
def axe() -> str:
    """Return the source of axe-core, which finds what shuts people out."""
    _node, modules = ask.from_npm(Path(__file__).parent / "axe-core")
    return (modules / "axe-core/axe.min.js").read_text("utf-8")


class Browser:
    """Chromium with a profile of its own, and short words for what tests do.

    Args:
        driver: Selenium's.
        pictures: Folder for screenshots.
    """

    def __init__(self, driver: webdriver.Chrome, pictures: Path) -> None:
        self.driver = driver
        self.pictures = pictures

    def look(self, size: tuple[int, int] = WIDE, *, dark: bool = False) -> None:
        """Take a size and a colour scheme."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {**metrics, "mobile": size == PHONE}
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [scheme, still]}
        )

    def picture(self, name: str) -> Path:
        """Keep what is seen now, for somebody to look at."""
        self.pictures.mkdir(parents=True, exist_ok=True)
        path = self.pictures / f"{name}.png"
        self.driver.save_screenshot(str(path))
        return path

    def all(self, selector: str) -> list[WebElement]:
        """Return the elements of a selector that are seen."""
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return [one for one in found if one.is_displayed()]

    def one(self, selector: str, text: str = "") -> WebElement:
        """Return the first that is seen and has a text, once there is one."""

        def there(_: object) -> WebElement | bool:
            return next((e for e in self.all(selector) if text in e.text), False)

        found: WebElement = self.wait(there, f"{selector} “{text}”")
        return found

    def text(self, selector: str) -> str:
        """Return the text of the first that is seen, however often it is drawn anew."""
        (found,) = self.wait(lambda _: [self.one(selector).text])
        return str(found)

    def keys(self, *pressed: str) -> None:
        """Press keys one after the other, wherever the focus is."""
        for key in pressed:
            ActionChains(self.driver).send_keys(key).perform()

    def tab_back(self) -> None:
        """Move the focus to what was before."""
        keys = ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB)
        keys.key_up(Keys.SHIFT).perform()

    def shows(self, selector: str, *words: str) -> None:
        """Wait until the first that is seen has all these words."""

        def told(_: object) -> bool:
            text = " ".join(self.one(selector).text.split())
            return all(each in text for each in words)

        self.wait(told, f"{selector} {words}")

    def click(self, selector: str, text: str = "") -> None:
        """Click an element where a person can, however often it is drawn anew."""

        def clicked(_: object) -> bool:
            element = self.one(selector, text)
            self.run("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
            return True

        self.wait(clicked, f"a click on {selector} “{text}”")

    def run(self, script: str, *values: object) -> Any:
        """Return what a script returns."""
        return self.driver.execute_script(script, *values)

    def wait(self, until: Any, what: str = "") -> Any:
        """Wait until something is true, and return it."""
        waiting = WebDriverWait(
            self.driver,
            PATIENCE_S,
            poll_frequency=0.05,
            ignored_exceptions=(Exception,),
        )
        return waiting.until(until, what)

    def part(self, name: str) -> None:
        """Go to a part of the page."""
        self.click("nav a", name)
        self.wait(lambda _: self.one("nav a[aria-current]").text == name)

    def complaints(self) -> list[str]:
        """Return what the browser's console complains about since the last look."""
        logged = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # Selenium has none
        return [line["message"] for line in logged if line["level"] == "SEVERE"]

    def violations(self) -> list[str]:
        """Return what axe finds, with the place; the page's policy allows no script."""
        self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe()})
        found = self.driver.execute_async_script(
            "const done = arguments[0];"
            "axe.run({resultTypes: ['violations']}).then((r) => done(r.violations))"
        )
        return [
            f"{one['impact']}: {one['id']} at {one['nodes'][0]['target']}: "
            f"{one['nodes'][0]['failureSummary']}"
            for one in found
        ]


@contextlib.contextmanager
def chromium(pictures: Path) -> Iterator[Browser]:
    """Start Chromium, and end it and all it wrote."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(
        prefix="ha-bridge-chromium-", ignore_cleanup_errors=True
    ) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        service = Service(shutil.which("chromedriver"))
        driver = webdriver.Chrome(options, service)
        try:
            browser = Browser(driver, pictures)
            browser.look()
            yield browser
        finally:
            driver.quit()
