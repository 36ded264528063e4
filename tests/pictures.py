"""Takes the pictures of the page: `make pictures`, after its looks have changed."""

import sys
import threading
from pathlib import Path

from ha_bridge.redaction import Secret
from ha_bridge_ops.local import releases
from ha_bridge_ops.local.embedded import HomeAssistantServer
from ha_bridge_ops.local.lambda_runtime import InProcess
from ha_bridge_ops.page.app import Shown
from ha_bridge_ops.page.home import Home
from ha_bridge_ops.page.server import PageServer
from tests.browser import Browser, chromium, why_no_browser

DOCS = Path(__file__).parents[1] / "docs"

SIZE = (1180, 760)


def main() -> None:
    """Start Home Assistant, the page and a browser, and look at it."""
    if reason := why_no_browser():
        sys.exit(f"{reason}.")
    release = releases.newest(print)
    releases.install(release)
    with HomeAssistantServer(release) as server:
        token = server.lasting_token()
        variables = {"BASE_URL": server.url, "LONG_LIVED_ACCESS_TOKEN": token}
        home = Home(InProcess(variables), token=lambda: token)
        where = "Home Assistant on this machine"
        page = PageServer(
            Shown(home, where, variables, lambda: [Secret(token)], is_demo=True)
        )
        thread = threading.Thread(target=page.run)
        thread.start()
        try:
            with chromium(DOCS) as browser:
                _take(browser, page.address)
        finally:
            page.stop()
            thread.join()


def _take(browser: Browser, address: str) -> None:
    browser.driver.get(address)
    browser.look(SIZE)
    browser.one("#cards .card")
    browser.wait(lambda _: not any("…" in one.text for one in browser.all(".card")[:9]))
    browser.picture("page-light")
    browser.look(SIZE, dark=True)
    browser.picture("page-dark")
    browser.look(SIZE)
    browser.part("Talk")
    browser.one("#sentence").send_keys("set kitchen lights to 40 percent\n")
    browser.one("#history li")
    browser.picture("page-talk")


if __name__ == "__main__":
    main()
