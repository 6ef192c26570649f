"""Every link of every kind of page leads to a page, and no page of the application is unknown to the tests."""

from __future__ import annotations

import pytest

from explorer.pages import aliases
from tests.browser.routes import Crawl, declared, patterns

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_every_route_of_the_site_has_an_example(crawl: Crawl) -> None:
    moved = {str(getattr(route, "path", "")) for route in aliases.routes()}
    assert declared() - moved - patterns(crawl.visits) == set()


def test_every_link_leads_to_a_page(crawl: Crawl) -> None:
    assert len(crawl.visits) > 100
    assert crawl.broken == []
