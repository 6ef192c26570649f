"""A program of ``tests/npm`` that is driven line by line: questions as JSON on its stdin, answers on its stdout."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from tests.npm.install import node

PATIENCE = 30.0


class Link:
    """A running client: questions by the names of its methods, and what it was told unasked."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        self._ids = count(1)
        self._answers: Queue[dict[str, Any]] = Queue()
        self._told: Queue[dict[str, Any]] = Queue()
        Thread(target=self._read, daemon=True).start()

    def ask(self, call: str, *args: Any) -> dict[str, Any]:
        """The whole answer: ``result`` or ``error``."""
        assert self._child.stdin is not None
        id = next(self._ids)
        self._child.stdin.write(json.dumps({"id": id, "call": call, "args": args}) + "\n")
        self._child.stdin.flush()
        answer = self._answers.get(timeout=PATIENCE)
        assert answer["id"] == id
        return answer

    def __call__(self, call: str, *args: Any) -> Any:
        """The result of a question."""
        answer = self.ask(call, *args)
        assert "error" not in answer, answer
        return answer["result"]

    def told(self, event: str) -> Any:
        """The next that it is told of this kind; others are passed over."""
        while True:
            heard = self._told.get(timeout=PATIENCE)
            if heard["event"] == event:
                return heard["data"]

    def is_told_nothing(self, seconds: float) -> bool:
        """Whether nothing is told for a while."""
        try:
            self._told.get(timeout=seconds)
        except Empty:
            return True
        return False

    def forget(self) -> None:
        """Pass over what it was told until now."""
        while not self._told.empty():
            self._told.get()

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            heard = json.loads(line)
            (self._told if "event" in heard else self._answers).put(heard)


@contextmanager
def linked(folder: Path, url: str) -> Iterator[Link]:
    """A client of a site, in a process of its own."""
    command = [node(), "client.js", url]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield Link(child)
        finally:
            assert child.stdin is not None
            child.stdin.close()
            assert child.wait(PATIENCE) == 0
