"""A daemon that has a chain of block files and nothing else: ``python -m bench.daemon FOLDER`` prints its URL.

It answers what the indexer asks while it catches up from files, over HTTP and in a process of its own, so that its
processor time is nobody else's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import pause
from typing import Any, NamedTuple

from bench.files import file_name, places
from indexer.chain.keys import hash_text, parse_hash
from indexer.demo.http import RpcServer
from indexer.demo.rules import RpcError

NOT_FOUND, OUT_OF_RANGE, NO_METHOD = -5, -8, -32601
LOGIN = ("bench", "bench")


class Answers:
    """The methods of the daemon of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places = places(folder)
        self._heights = {place.hash: height for height, place in enumerate(self._places)}
        self._methods: dict[str, Callable[..., Any]] = {
            "getblockcount": lambda: self.height,
            "getbestblockhash": lambda: hash_text(self._places[-1].hash),
            "getblockhash": self._hash,
            "getblock": self._block,
            "getblockchaininfo": self._chain,
            "getnetworkinfo": lambda: {"version": 1, "subversion": "/bench/", "connections": 8},
            "getrawmempool": lambda verbose=False: {} if verbose else [],
        }

    @property
    def height(self) -> int:
        """The height of the tip."""
        return len(self._places) - 1

    def __call__(self, method: str, params: Sequence[Any]) -> Any:
        """The result of a method; RpcError as the daemon would refuse."""
        if method not in self._methods:
            raise RpcError(NO_METHOD, "Method not found")
        return self._methods[method](*params)

    def _hash(self, height: int) -> str:
        if not 0 <= height <= self.height:
            raise RpcError(OUT_OF_RANGE, "Block height out of range")
        return hash_text(self._places[height].hash)

    def _block(self, hash: str, verbosity: int) -> str:
        height = self._heights.get(parse_hash(hash))
        if height is None or verbosity:
            raise RpcError(NOT_FOUND, "Block not found")
        place = self._places[height]
        with (self._folder / file_name(place.file)).open("rb") as file:
            file.seek(place.offset)
            return file.read(place.size).hex()

    def _chain(self) -> dict[str, Any]:
        best = hash_text(self._places[-1].hash)
        return {"chain": "main", "blocks": self.height, "headers": self.height, "bestblockhash": best}


class Running(NamedTuple):
    """A daemon's process and where it listens."""

    pid: int
    url: str


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """A daemon in a process of its own."""
    command = [sys.executable, "-m", "bench.daemon", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as child:
        assert child.stdout is not None
        try:
            yield Running(child.pid, child.stdout.readline().strip())
        finally:
            child.terminate()


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    server = RpcServer("127.0.0.1", 0, LOGIN, Answers(parser.parse_args().folder))
    print(server.url, flush=True)
    pause()


if __name__ == "__main__":
    main()
