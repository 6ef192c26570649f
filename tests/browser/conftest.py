"""A browser and a running demo network for it. Neither can reach anything but this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.examples import Examples, examples_of
from tests.browser.routes import Crawl
from tests.browser.watched import Watched, watched
from tests.conftest import absent
from tests.demo.site import Site, running_site
from tests.npm.install import installed

NAMES = ("chromium", "chromium-browser", "google-chrome")
ONLY_THIS_MACHINE = ("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--no-proxy-server")
FIRST_BLOCKS = 1330  # thirty blocks into proof of node; all parallel chains have been launched by then
LAUNCHED = ("kda", "erg")
EACH = 4  # pages of a kind that are visited because something links to them
SETTINGS = {"FLUX_PARALLEL_INTERVAL_SECONDS": "5"}

Opened = Callable[..., Watched]


@pytest.fixture(scope="package")
def chromium() -> str:
    """The path of Debian's Chromium or of another build of it."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        absent("Chromium", "apt-get install chromium")
    return str(found)


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser of the tests of this package; it ends with them, because its loop keeps others from running."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ONLY_THIS_MACHINE)
        yield running
        running.close()


@pytest.fixture(scope="package")
def network(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A demo network with parallel chains, whose daemon does nothing of its own accord."""
    folder = tmp_path_factory.mktemp("browser")
    with running_site(mongod, folder, f"t_browser_{os.getpid()}", FIRST_BLOCKS, SETTINGS) as running:
        for key in LAUNCHED:
            running.rpc.call("demo_chain", key, "up")
        running.until("the parallel chains are read", lambda: running.json("/supply")["parallel"])
        yield running


@pytest.fixture(scope="package")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with axe-core and Lighthouse."""
    return installed("audit", tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="package")
def examples(network: Site) -> Examples:
    """Paths to begin from."""
    return examples_of(network)


@pytest.fixture(scope="package")
def crawl(network: Site, examples: Examples) -> Crawl:
    """The site as its links show it, from the examples on."""
    found = Crawl(network.http)
    found.follow(examples.all, EACH)
    return found


@pytest.fixture(scope="package")
def origin(network: Site) -> str:
    """Scheme, host and port of the network's explorer."""
    return str(network.http.base_url).rstrip("/")


@pytest.fixture
def opened(browser: Browser, origin: str) -> Iterator[Opened]:
    """Opens pages as visitors of their own do: ``opened("/block/5", size=PHONE, colours="dark", script=False)``.

    At the end of the test none of them may have complained.
    """
    pages: list[Watched] = []
    with ExitStack() as stack:

        def opening(path: str, **how: Any) -> Watched:
            page = stack.enter_context(watched(browser, origin, **how))
            pages.append(page)
            page.go(path)
            return page

        yield opening
        assert [complaint for page in pages for complaint in page.complaints] == []
