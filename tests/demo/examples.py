"""The examples of a page of documentation: what is typed, what it says that is answered, and what is answered.

The blocks of a page in ``sh`` are run from its top to its end, as a reader would: what a line sets, later lines use.
What stands in a block of ``json`` or ``text`` below a line is the answer to it, or the beginning of one: ``"…"`` stands
for fields that are not shown, and a list shows its first item.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

BLOCK: Final = re.compile(r"^```(sh|json|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SETTING: Final = re.compile(r"([A-Z]+)=")
DEFAULT_SITE: Final = "http://127.0.0.1:8080"
ENDLESS: Final = "curl -N"
"""What asks for an answer that does not end: its first line is enough."""
MORE: Final = "…"
SECONDS: Final = 60
CURL: Final = """\
silent
show-error
noproxy = "*"
write-out = "%{stderr}%{http_code}"
"""


@dataclass(frozen=True)
class Example:
    """A line of a page, and the answer that the page shows below it: its kind and its text."""

    line: str
    kind: str = ""
    shown: str = ""


@dataclass(frozen=True)
class Answer:
    """What a line gave: the status of the last question, 0 where none ended; the body."""

    status: int
    body: str


def examples(text: str) -> Iterator[Example]:
    """The lines of a page in order, each with the answer that is shown for it."""
    blocks = [(found[1], found[2]) for found in BLOCK.finditer(text)]
    for (kind, block), (below, shown) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if kind != "sh":
            continue
        *others, last = block.splitlines()
        yield from map(Example, others)
        yield Example(last, below, shown) if below in ("json", "text") else Example(last)


class Shell:
    """Runs the lines of one page against a site, with the real ``bash`` and ``curl``."""

    def __init__(self, site: str, home: Path) -> None:
        (home / ".curlrc").write_text(CURL)
        self._site, self._home = site, home
        self.variables = {"PATH": os.environ["PATH"], "CURL_HOME": str(home)}

    def run(self, line: str) -> Answer:
        """The answer to a line; one that sets a variable answers nothing."""
        name = SETTING.match(line)
        line = line.replace(DEFAULT_SITE, self._site) + (" | head -n 1" if ENDLESS in line else "")
        typed = f'{line}\nprintf %s "${name[1]}"' if name else line
        command = ["bash", "-c", typed]
        done = subprocess.run(
            command, cwd=self._home, env=self.variables, capture_output=True, encoding="utf-8", timeout=SECONDS
        )
        if name:
            self.variables[name[1]] = done.stdout
            return Answer(200 if done.stdout else 0, "")
        status = re.search(r"(\d{3})\Z", done.stderr)
        return Answer(int(status[1]) if status else 0, done.stdout)


def differs(shown: Any, answered: Any, at: str = "answer") -> Iterator[str]:
    """Where an answer has another shape than the one shown: fields, and types of values; null may stand for any."""
    if shown is None or answered is None:
        return
    if isinstance(shown, dict) and isinstance(answered, dict):
        named = set(shown) - {MORE}
        if named - set(answered) or (MORE not in shown and named != set(answered)):
            yield f"{at} has {sorted(answered)}, shown are {sorted(named)}"
            return
        for name in named:
            yield from differs(shown[name], answered[name], f"{at}.{name}")
    elif isinstance(shown, list) and isinstance(answered, list):
        if shown and not answered:
            yield f"{at} is empty"
        for n, (one, other) in enumerate(zip(shown, answered, strict=False)):
            yield from differs(one, other, f"{at}[{n}]")
    elif _kind(shown) != _kind(answered):
        yield f"{at} is {answered!r}, shown is {shown!r}"


def _kind(value: Any) -> str:
    """A type of JSON; amounts and the other numbers in texts are a type of their own."""
    if isinstance(value, str) and re.fullmatch(r"-?\d+\.\d{8}", value):
        return "amount"
    return "number" if type(value) in (int, float) else type(value).__name__


def is_as_shown(example: Example, answer: Answer) -> list[str]:
    """What is wrong with an answer; nothing when it is the one that the page shows."""
    if example.kind == "text":
        alike = re.sub(r"\d+", r"\\d+", re.escape(example.shown.rstrip("\n")))
        return [] if re.fullmatch(alike, answer.body.rstrip("\n")) else [answer.body[:200]]
    if example.kind == "json":
        return list(differs(json.loads(example.shown), json.loads(answer.body)))
    return []
