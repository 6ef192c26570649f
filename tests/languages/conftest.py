"""What the tests of the languages share."""

from __future__ import annotations

import pytest
from babel.messages.catalog import Catalog

from explorer.languages.update import extracted


@pytest.fixture(scope="package")
def source() -> Catalog:
    """The texts that the source marks."""
    return extracted()
