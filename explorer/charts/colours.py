"""The colours of the style sheet, for drawings that stand alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

STYLE: Final = Path(__file__).parents[1] / "static" / "site.css"
THEMES: Final = ("light", "dark")
_TOKEN: Final = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")


@cache
def colours(theme: str) -> Mapping[str, str]:
    """The colour of each token in a theme, ``light`` or ``dark``."""
    return {name: pair[THEMES.index(theme)] for name, *pair in _TOKEN.findall(STYLE.read_text())}
