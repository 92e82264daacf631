"""A server with something in it, and a browser for consoles to be looked at with."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

HATSIZE = str(Path(sys.executable).with_name("hatsize"))
AUTH_ID = "hskey-authreq-" + "ab" * 12
PATIENCE = 15.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what, holds):
    """Wait until something holds; its value."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < deadline, f"it did not come to be that {what}"
        time.sleep(0.1)


class Server:
    """A server, with users alice and bob, and a router of alice's."""

    def __init__(self, folder, *, origin=""):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environ = {**os.environ, "HATSIZE_DATA_DIR": str(folder), "HATSIZE_STUN_ENABLED": "false"}
        if origin:
            self._environ["HATSIZE_API_CORS_ORIGINS"] = origin
        flags = ["--listen", f"127.0.0.1:{self.port}", "--server-url", self.url]
        self._process = subprocess.Popen([HATSIZE, "serve", *flags], env=self._environ)
        eventually("the server runs", (folder / "hatsize.sock").exists)
        for user in ("alice", "bob"):
            self.run("users", "create", user)
        self.run("debug", "create-node", "--name", "router", "-u", "alice", "-k", AUTH_ID, "-r", "10.0.0.0/24")
        self.run("auth", "register", "-u", "alice", "--auth-id", AUTH_ID)
        self.key = self.run("apikeys", "create")

    def run(self, *words):
        done = subprocess.run(
            [HATSIZE, *words, "-o", "json"], env=self._environ, capture_output=True, text=True, timeout=30, check=True
        )
        return json.loads(done.stdout)

    def text(self, *words):
        return subprocess.run(
            [HATSIZE, *words], env=self._environ, capture_output=True, text=True, timeout=30, check=False
        ).stdout

    def close(self):
        self._process.terminate()
        self._process.wait(10)


class Browser:
    """A page, and what somebody does with it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, url):
        self.driver.get(url)

    def text(self):
        return self.driver.find_element("tag name", "body").text

    def shows(self, *words):
        eventually(f"the page shows {words}", lambda: all(word in self.text() for word in words))

    def element(self, selector):
        return eventually(f"there is {selector}", lambda: self._visible("css selector", selector))

    def click(self, label):
        """Press the button, link or menu item with a label."""
        names = f"normalize-space(.)='{label}' or @aria-label='{label}' or @title='{label}'"
        kinds = "self::button or self::a or @role='menuitem' or @role='tab' or @role='option' or @role='switch'"
        self.click_at(f"//*[{kinds}][{names}]")

    def click_at(self, path):
        """Press what an XPath leads to."""
        eventually(f"{path} can be pressed", lambda: self._press(path))

    def fill(self, selector, text):
        box = self.element(selector)
        box.send_keys("\ue009a\ue000", text)  # control and A first, as pages that follow each key want it

    def _press(self, path):
        from selenium.common.exceptions import WebDriverException

        found = self._visible("xpath", path)
        try:
            if found:
                found.click()
        except WebDriverException:
            return False
        return bool(found)

    def _visible(self, how, what):
        return next((each for each in self.driver.find_elements(how, what) if each.is_displayed()), None)


@pytest.fixture
def browser():
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("chromium is not installed: apt-get install chromium chromium-driver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1000"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_page_load_timeout(30)
    yield Browser(driver)
    driver.quit()


@pytest.fixture
def serve(tmp_path):
    """Start a server; pages of `origin` may use its API."""
    started = []

    def start(**settings):
        started.append(Server(tmp_path / "data", **settings))
        return started[-1]

    yield start
    for server in started:
        server.close()
