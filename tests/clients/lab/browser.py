"""Chromium on a machine of the lab, driven through its pages."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By

from tests.clients.lab.daemon import Daemon
from tests.clients.lab.logs import tail
from tests.clients.lab.namespaces import Namespace
from tests.clients.lab.waiting import eventually

DRIVER_PORT = 9515
START_DEADLINE = 60.0
PAGE_DEADLINE = 30.0
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--ignore-certificate-errors",
    "--window-size=760,900",
)  # fmt: skip

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def missing() -> list[str]:
    """What keeps a browser from running here, in words."""
    packages = {"chromium": "chromium", "chromedriver": "chromium-driver"}
    return [
        f"the command {name} (Debian package {debian})" for name, debian in packages.items() if not shutil.which(name)
    ]


class Browser:
    """One person's browser, with cookies of its own, on their machine. It ends with the machine."""

    def __init__(self, machine: Namespace) -> None:
        self._machine = machine
        self._log = machine.directory / "chromedriver.log"
        port = f"--port={DRIVER_PORT}"
        environment = {"HOME": str(machine.directory), "SE_OFFLINE": "true"}
        self._daemon = Daemon(machine, "chromedriver", port, log=self._log, env=environment)
        options = webdriver.ChromeOptions()
        for flag in (*FLAGS, f"--user-data-dir={machine.directory / 'chromium'}"):
            options.add_argument(flag)
        options.binary_location = shutil.which("chromium") or ""

        eventually(self._listens, "chromedriver listens", within=START_DEADLINE, evidence=lambda: tail(self._log))
        url = f"http://127.0.0.1:{DRIVER_PORT}"
        self._driver: Any = self._do(lambda: webdriver.Remote(url, options=options))

    def open(self, url: str) -> None:
        self._do(self._driver.get, url)

    def reload(self) -> None:
        self._do(self._driver.refresh)

    def forget_cookies(self) -> None:
        """Those of the host of the page, on every port."""
        self._do(self._driver.delete_all_cookies)

    def click(self, selector: str) -> None:
        """Click on what a CSS selector finds, once it is there."""
        self._found(lambda: self._do(self._clicked, selector), selector)

    def type(self, selector: str, text: str) -> None:
        self._found(lambda: self._do(self._typed, selector, text), selector)

    def text(self) -> str:
        """What the page says."""
        return str(self._do(lambda: self._driver.find_element(By.TAG_NAME, "body").text))

    def wait_text(self, words: str) -> str:
        """What the page says, once these words are among it."""

        def said() -> str:
            try:
                text = self.text()
            except WebDriverException as error:
                raise AssertionError(str(error)) from None
            assert words in text, f"{self.place()}: {text}"
            return text

        return eventually(said, f"the page says {words!r}", within=PAGE_DEADLINE)

    def wait_place(self, beginning: str) -> None:
        eventually(lambda: self.url().startswith(beginning), f"the browser is at {beginning}", within=PAGE_DEADLINE)

    def url(self) -> str:
        return str(self._do(lambda: self._driver.current_url))

    def place(self) -> str:
        """The path of the page."""
        return urlsplit(self.url()).path

    def screenshot(self, path: Path) -> None:
        self._do(self._driver.save_screenshot, str(path))

    def _listens(self) -> bool:
        assert self._daemon.is_running(), "chromedriver has ended"
        return "started successfully" in self._log.read_text()

    def _clicked(self, selector: str) -> bool:
        self._driver.find_element(By.CSS_SELECTOR, selector).click()
        return True

    def _typed(self, selector: str, text: str) -> bool:
        field = self._driver.find_element(By.CSS_SELECTOR, selector)
        field.clear()
        field.send_keys(text)
        return True

    def _found(self, action: Callable[[], bool], selector: str) -> None:
        def attempt() -> bool:
            try:
                return action()
            except WebDriverException as error:
                raise AssertionError(f"{error.msg}\n{self.text()}") from None

        eventually(attempt, f"{selector} is on the page", within=PAGE_DEADLINE)

    def _do(self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Talk to the driver from the browser's machine, which alone can reach it."""
        return self._machine.call(function, *args, **kwargs)
