"""Lighthouse on the pages that most people open."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.browser.examples import Examples
from tests.npm.install import node

pytestmark = pytest.mark.browser

ENOUGH = 95


def test_lighthouse_gives_high_scores(chromium: str, origin: str, examples: Examples, audit: Path) -> None:
    paths = ["/", "/block/800", examples.address, examples.node, "/nodes/cumulus"]
    urls = [origin + path for path in paths]
    done = subprocess.run(
        [node(), "score.js", chromium, str(ENOUGH), *urls], cwd=audit, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [entry["url"] for entry in told] == urls
    low = [entry for entry in told if min(entry["scores"].values()) < ENOUGH]
    assert low == [], json.dumps(low, indent=1)
