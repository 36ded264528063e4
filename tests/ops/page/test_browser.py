"""The page in a real browser, before a real Home Assistant."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.local.embedded import CONFIGURATION, HomeAssistantServer
from tests.browser import PHONE, WIDE, Browser, browser_or_skip, chromium
from tests.directives import offered
from tests.ops.conftest import ROOT, Run
from tests.ops.page.conftest import HOSTILE

#: Seconds are for a machine that has much else to do: it starts Home Assistant too.
pytestmark = [pytest.mark.live, pytest.mark.one_release, pytest.mark.timeout(600)]

PICTURES = ROOT / "dist/page"
LAMP = "light.bed_light"


@dataclass
class Page:
    """The page of a running command, in a browser that was let in."""

    browser: Browser
    url: str
    home: HomeAssistantServer

    def load(self) -> None:
        """Load it anew, and wait for the home."""
        self.browser.look()
        self.browser.driver.get(self.url)
        self.browser.run("sessionStorage.clear(); location.hash = ''")
        self.browser.driver.refresh()
        self.browser.one("#cards .card")

    def state(self, entity: str) -> str:
        return str(self.home.state(entity)["state"])

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until Home Assistant is as it should be."""
        self.browser.wait(lambda _: is_so())

    def card(self, name: str) -> Any:
        """Return the card of a device, whose state is known."""
        search = self.browser.one("#search")
        search.clear()
        search.send_keys(name)
        exact = f"//li[@class and .//h3/button[normalize-space()='{name}']]"

        def ready(_: object) -> Any:
            card = self.browser.driver.find_element(By.XPATH, exact)
            return card if "…" not in card.text else False

        return self.browser.wait(ready)

    def device(self, name: str) -> None:
        """Open the dialog of a device, with its controls."""
        self.card(name)
        self.browser.click("#cards .open", name)
        self.browser.one("#device .control")

    def say(self, sentence: str) -> None:
        self.browser.part("Talk")
        box = self.browser.one("#sentence")
        box.clear()
        box.send_keys(sentence, Keys.ENTER)


def start(home: HomeAssistantServer, folder: Path) -> subprocess.Popen[str]:
    """Start the command as its user does."""
    clean = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    return subprocess.Popen(
        [sys.executable, "-m", "ha_bridge_ops", "page", "--no-open", "--allow-unlock"],
        cwd=folder,
        env={
            **clean,
            "PYTHONPATH": str(ROOT),
            "BASE_URL": home.url,
            "LONG_LIVED_ACCESS_TOKEN": home.lasting_token(),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.fixture(scope="module")
def running(
    home_assistant: HomeAssistantServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """The command, and a browser that opened the printed address."""
    browser_or_skip()
    command = start(home_assistant, tmp_path_factory.mktemp("page"))
    assert command.stdout is not None
    address = command.stdout.readline().strip()
    try:
        with chromium(PICTURES) as browser:
            browser.driver.get(address)
            yield Page(browser, address.partition("/open")[0] + "/", home_assistant)
    finally:
        command.terminate()
        command.wait(60)
        command.stdout.close()


@pytest.fixture
def page(running: Page) -> Page:
    """The page, freshly loaded."""
    running.load()
    running.browser.complaints()
    return running


def test_the_home_is_there(page: Page) -> None:
    """Every endpoint that Home Assistant offers, with kind, abilities and state."""
    endpoints = offered(page.home)
    page.home.call_service(
        "light", "turn_on", entity_id="light.ceiling_lights", brightness_pct=70
    )
    page.load()
    browser = page.browser
    browser.shows("#numbers", f"{len(endpoints)} of 300 devices")
    cards = browser.run(
        "return [...document.querySelectorAll('#cards h3')].map((e) => e.textContent)"
    )
    names = {" ".join(one["friendlyName"].split()) for one in endpoints}
    assert len(cards) == min(60, len(endpoints))
    assert set(cards) <= names
    for words in ("light", "brightness", "on, 7"):
        browser.wait(lambda _, words=words: words in page.card("Ceiling Lights").text)
    assert browser.complaints() == []
    page.load()
    browser.wait(lambda _: "…" not in browser.text("#cards")[:200])
    browser.picture("home-light")


def test_search_and_filters(page: Page) -> None:
    """By name, kind or entity, by kind, and by what is wrong."""
    browser = page.browser
    search = browser.one("#search")
    search.send_keys("kitchen li")
    browser.wait(lambda _: len(browser.all("#cards .card")) == 1)
    browser.shows("#cards", "Kitchen Lights")
    assert browser.text("#shown").startswith("1 of ")
    search.clear()
    search.send_keys("no such thing")
    browser.wait(lambda _: browser.text("#shown") == "No device is like that.")
    search.clear()
    search.send_keys(Keys.SPACE)
    browser.run(
        "const kind = document.querySelector('#kind'); kind.value = 'smartlock';"
        "kind.dispatchEvent(new Event('input'))"
    )
    browser.wait(lambda _: len(browser.all("#cards .card")) == 4)
    browser.run(
        "for (const [id, value] of [['kind', ''], ['hint', 'no_stream']]) {"
        "const e = document.getElementById(id); e.value = value;"
        "e.dispatchEvent(new Event('input')) }"
    )
    browser.wait(lambda _: "camera" in browser.text("#cards .card"))
    assert all("camera" in one.text for one in browser.all("#cards .card"))


def test_a_switch_switches(page: Page) -> None:
    """Home Assistant's own state changes, and the card follows."""
    before = page.state(LAMP)
    page.card("Bed Light")
    page.browser.click(f"#cards .switch[aria-checked={str(before == 'on').lower()}]")
    page.until(lambda: page.state(LAMP) != before)
    after = page.state(LAMP)
    page.browser.one(f"#cards .switch[aria-checked={str(after == 'on').lower()}]")
    page.browser.part("Talk")
    page.browser.shows("#history li", "Alexa would likely say: “OK.”")


def test_a_slider_dims_and_a_colour_colours(page: Page) -> None:
    """With the keyboard, as the directive and the state show."""
    page.home.call_service("light", "turn_on", entity_id=LAMP, brightness=255)
    page.device("Bed Light")
    browser = page.browser
    browser.wait(
        lambda _: browser.text("#device output").replace("\xa0", " ") == "100 %"
    )
    browser.one("#device input[type=range]").send_keys(Keys.HOME, Keys.PAGE_UP)
    page.until(lambda: page.home.state(LAMP)["attributes"].get("brightness", 255) < 60)
    browser.shows("#device .sent", "SetBrightness")
    browser.picture("device-light")
    browser.run(
        "const color = document.querySelector('#device input[type=color]');"
        "color.value = '#0000ff'; color.dispatchEvent(new Event('change'))"
    )
    page.until(
        lambda: page.home.state(LAMP)["attributes"].get("hs_color") == [240.0, 100.0]
    )
    assert browser.complaints() == []


def test_a_lock_locks_and_unlocking_asks(page: Page) -> None:
    """A no leaves it locked; a yes unlocks it."""
    page.home.call_service("lock", "unlock", entity_id="lock.kitchen_door")
    page.until(lambda: page.state("lock.kitchen_door") == "unlocked")
    page.device("Kitchen Door")
    browser = page.browser
    browser.click("#device [data-value=lock]")
    page.until(lambda: page.state("lock.kitchen_door") == "locked")
    browser.one("#device [data-value=lock][aria-pressed=true]")
    browser.click("#device [data-value=unlock]")
    assert browser.text("#question") == "Unlock “Kitchen Door”?"
    browser.picture("question-light")
    browser.click("[data-no]")
    assert page.state("lock.kitchen_door") == "locked"
    browser.click("#device [data-value=unlock]")
    browser.click("[data-yes]")
    page.until(lambda: page.state("lock.kitchen_door") == "unlocked")


def test_a_sentence(page: Page) -> None:
    """What it did, before and after, the directive, the log line and the event file."""
    lights = "light.kitchen_lights"
    page.home.call_service("light", "turn_on", entity_id=lights, brightness=255)
    page.say("set kitchen lights to 40 percent")
    browser = page.browser
    page.until(lambda: page.home.state(lights)["attributes"]["brightness"] == 102)
    browser.shows("#history li", "Brightness 100 % 40 %")
    for summary in browser.one("#history li").find_elements(By.CSS_SELECTOR, "summary"):
        summary.click()
    browser.shows(
        "#history li", '"name": "SetBrightness"', '"directive": {', '"<redacted>"'
    )
    width = browser.run("return document.documentElement.scrollWidth")
    assert width <= WIDE[0]
    browser.picture("talk-light")
    assert browser.complaints() == []


def test_a_question_is_answered(page: Page) -> None:
    """In a sentence, from the state."""
    page.home.call_service("light", "turn_on", entity_id=LAMP)
    page.say("is the bed light on")
    page.browser.shows("#history li .says", "“Yes, Bed Light is on.”")


def test_an_ambiguous_sentence(page: Page) -> None:
    """Nothing is sent until one is chosen."""
    page.say("turn on kitchen thing")
    browser = page.browser
    browser.shows(".problem", "No device is called “kitchen thing”")
    assert browser.all("#history li") == []
    page.home.call_service("light", "turn_off", entity_id="light.kitchen_lights")
    page.say("turn on the kitchen light bulb")
    browser.picture("ambiguous-light")
    browser.click("[data-other]", "Kitchen Lights")
    page.until(lambda: page.state("light.kitchen_lights") == "on")


def test_an_event_file_works_with_invoke(page: Page, run: Run, tmp_path: Path) -> None:
    """Copied from the page, it is a file that does the same again."""
    page.home.call_service("light", "turn_on", entity_id=LAMP)
    page.say("turn off the bed light")
    page.until(lambda: page.state(LAMP) == "off")
    browser = page.browser
    browser.driver.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    browser.click("#history [data-copy]")
    browser.one("#history [data-copy]", "Copied")
    copied = browser.driver.execute_async_script(
        "const done = arguments[0]; navigator.clipboard.readText().then(done, done)"
    )
    (tmp_path / "event.json").write_text(copied)
    assert "token" not in json.loads(copied)["directive"]["endpoint"]["scope"]
    page.home.call_service("light", "turn_on", entity_id=LAMP)
    done = run(
        "invoke",
        "event.json",
        BASE_URL=page.home.url,
        LONG_LIVED_ACCESS_TOKEN=page.home.lasting_token(),
    )
    assert done.returncode == 0, done.stderr
    page.until(lambda: page.state(LAMP) == "off")


def test_choose_and_rename(page: Page) -> None:
    """Home Assistant starts with the block, and shows just that."""
    browser = page.browser
    browser.part("Choose")
    count = len(offered(page.home))
    browser.one("#words", f"{count} of {count} stay")
    browser.click("#none")
    browser.one("#words", "Nothing is chosen")
    browser.one("#choose-search").send_keys("bed light")
    browser.wait(lambda _: len(browser.all(".row")) == 1)
    browser.click(".row input[type=checkbox]")
    name = browser.one(".row .name")
    name.clear()
    name.send_keys("Reading lamp: “blue” # 1")
    browser.run(
        "const kind = document.querySelector('.row .category'); kind.value = 'SWITCH';"
        "kind.dispatchEvent(new Event('input'))"
    )
    browser.one("#words", f"1 of {count} stays, 1 is renamed, 1 has another category")
    browser.picture("choose-light")
    block = browser.text("#block")
    # A reload keeps it.
    browser.driver.refresh()
    browser.one("#words", "1 is renamed")
    text = CONFIGURATION.replace("alexa:\n  smart_home:\n", block + "\n")
    with HomeAssistantServer(page.home.release, text) as server:
        found = offered(server)
    told = [(one["endpointId"], one["friendlyName"]) for one in found]
    assert told == [("light#bed_light", "Reading lamp: “blue” # 1")]
    assert found[0]["displayCategories"] == ["SWITCH"]


def test_a_name_that_cannot_be(page: Page) -> None:
    """It is said, and there is no block."""
    browser = page.browser
    browser.part("Choose")
    browser.one("#words", "stay")
    browser.run(
        "const name = document.querySelector('.row .name'); name.value = 'a\\u0007b';"
        "name.dispatchEvent(new Event('input'))"
    )
    browser.one("#words", "visible")
    assert browser.run("return document.querySelector('#block').textContent") == ""
    assert browser.run("return document.querySelector('#copy-block').disabled") is True


def test_findings_come_one_by_one(page: Page) -> None:
    """Those of check, with their fixes."""
    browser = page.browser
    browser.part("Check")
    browser.one("#check-now", "fine")
    browser.shows(
        "#findings",
        "Settings",
        "ha.smart_home",
        "discovery.count",
        "address.https",
        "→",
    )
    browser.picture("check-light")
    assert browser.complaints() == []


def test_a_hostile_name_is_only_a_text(page: Page) -> None:
    """It is shown as Home Assistant gives it, which leaves < and > out."""
    set_state(page.home, "switch.hostile", "off", {"friendly_name": HOSTILE})
    told = HOSTILE.replace("<", "").replace(">", "")
    page.load()
    browser = page.browser
    browser.one("#search").send_keys("switch.hostile")
    browser.wait(lambda _: len(browser.all("#cards .card")) == 1)
    assert browser.text("#cards h3") == told
    page.say("turn on " + told)
    browser.wait(lambda _: browser.all("#history li") or browser.all(".problem"))
    assert browser.driver.title == "Your home as Alexa sees it"
    assert browser.complaints() == []


def set_state(
    home: HomeAssistantServer, entity: str, state: str, attributes: dict[str, Any]
) -> None:
    """Make an entity that only has a state, by Home Assistant's REST API."""
    home._ask(
        "POST",
        f"/api/states/{entity}",
        headers=home._authorization(),
        json={"state": state, "attributes": attributes},
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_everybody_can_use_it(*, size: tuple[int, int], dark: bool, page: Page) -> None:
    """Axe finds nothing, and nothing is wider than the window."""
    browser = page.browser
    browser.look(size, dark=dark)
    name = f"{'phone' if size == PHONE else 'wide'}-{'dark' if dark else 'light'}"
    for part in ("Home", "Talk", "Choose", "Check"):
        browser.part(part)
        if part == "Talk":
            page.say("is the bed light on")
            browser.one("#history li")
        if part == "Check":
            browser.one("#check-now", "fine")
        if part == "Choose":
            browser.one("#words", "stay")
        browser.picture(f"{part.lower()}-{name}")
        assert browser.violations() == [], part
        width = browser.run("return document.documentElement.scrollWidth")
        assert width <= size[0], part
    browser.part("Home")
    page.device("Office RGBW Lights")
    browser.picture(f"device-{name}")
    assert browser.violations() == []


def test_the_keyboard_is_enough(page: Page) -> None:
    """Search, open, switch, close: the focus is where one expects it."""
    browser = page.browser
    browser.run("document.querySelector('#search').focus()")
    browser.keys(*"bed light")
    browser.wait(lambda _: len(browser.all("#cards .card")) == 1)
    browser.keys(Keys.TAB, Keys.TAB, Keys.TAB)
    assert focused(browser) == "Bed Light"
    before = page.state(LAMP)
    browser.one("#cards .switch")
    browser.keys(Keys.TAB, Keys.SPACE)
    page.until(lambda: page.state(LAMP) != before)
    browser.wait(lambda _: not browser.all(".switch[aria-busy]"))
    browser.tab_back()
    browser.keys(Keys.ENTER)
    browser.one("#device .control")
    for _ in range(30):
        if focused(browser) == "Off":
            break
        browser.keys(Keys.TAB)
    browser.keys(Keys.ENTER)
    page.until(lambda: page.state(LAMP) == "off")
    browser.wait(lambda _: focused(browser) == "Off")
    browser.keys(Keys.ESCAPE)
    browser.wait(lambda _: not browser.all("#device"))
    assert focused(browser) == "Bed Light"


def focused(browser: Browser) -> str:
    return str(browser.run("return document.activeElement.textContent.trim()"))


def test_a_second_tab(page: Page) -> None:
    """It needs no new address, and does the first no harm."""
    driver = page.browser.driver
    first = driver.current_window_handle
    driver.switch_to.new_window("tab")
    try:
        driver.get(page.url)
        page.browser.one("#cards .card")
    finally:
        driver.close()
        driver.switch_to.window(first)
    page.browser.part("Talk")


def test_home_assistant_stops_and_comes_back(page: Page) -> None:
    """What the function tells is shown, with the cause; then all is well again."""
    browser = page.browser
    page.home.stop()
    try:
        browser.click("#refresh")
        assert browser.text("#failure-type") == "BRIDGE_UNREACHABLE"
        browser.shows("#failure-message", "refused")
        browser.shows("#failure-cause .fix", "Home Assistant")
        assert "certificate" not in browser.text("#failure-cause")
        browser.picture("failure-light")
        assert browser.violations() == []
        page.say("turn on the bed light")
        browser.shows("#history li .says", "not responding")
    finally:
        page.home.start()
    browser.part("Home")
    browser.click("#again")
    browser.one("#cards .card")
    page.say("turn on the bed light")
    page.until(lambda: page.state(LAMP) == "on")
