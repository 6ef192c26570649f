"""The sample chain as a daemon leaves it on disk: several ``blk*.dat``, out of order, with stale blocks and padding.

A chain is made once and kept in the temporary folder under the name of its recipe: 0.9 GB for 4 million transactions.
"""

from __future__ import annotations

import hashlib
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import gettempdir
from typing import BinaryIO, NamedTuple

from indexer import sample
from indexer.sample.chain import Chain
from indexer.sample.shape import Plan

FILE_BYTES = 128 << 20  # MAX_BLOCKFILE_SIZE
CHUNK_BYTES = 16 << 20  # BLOCKFILE_CHUNK_SIZE: the last file is padded with zeros to a multiple of it
ARRIVE_TOGETHER = 32  # blocks that a downloading daemon takes in any order
STALE_EVERY = 1_000  # blocks
PLACE = struct.Struct("<32sHII")
TIME = slice(100, 104)  # in a header of any version
PARAMETERS, PLACES = "network.toml", "active.places"


class Place(NamedTuple):
    """A block of the active chain: its hash (wire order), number of file, offset of its first byte, size."""

    hash: bytes
    file: int
    offset: int
    size: int


def file_name(number: int) -> str:
    """What a daemon calls its block files."""
    return f"blk{number:05}.dat"


def stale_sibling(raw: bytes) -> bytes:
    """Another block on the same parent with the same transactions, found a second later."""
    (time,) = struct.unpack("<I", raw[TIME])
    return raw[: TIME.start] + struct.pack("<I", time + 1) + raw[TIME.stop :]


class Files:
    """Block files in the making."""

    def __init__(self, folder: Path, magic: bytes) -> None:
        self._folder, self._magic = folder, magic
        self._number = 0
        self._file = self._open()

    def _open(self) -> BinaryIO:
        return (self._folder / file_name(self._number)).open("wb")

    def append(self, raw: bytes) -> tuple[int, int]:
        """Write a record; the number of its file and the offset of the block in it."""
        record = self._magic + len(raw).to_bytes(4, "little") + raw
        if self._file.tell() + len(record) > FILE_BYTES:
            self._file.close()
            self._number += 1
            self._file = self._open()
        self._file.write(record)
        return self._number, self._file.tell() - len(raw)

    def close(self) -> None:
        """Pad the last file."""
        self._file.truncate(-(-self._file.tell() // CHUNK_BYTES) * CHUNK_BYTES)
        self._file.close()


def write(chain: Chain, folder: Path) -> None:
    """Make the chain and write its files, its parameters, and where each block of it is."""
    rnd = Random(1)
    files = Files(folder, chain.network.magic)
    places: dict[int, Place] = {}
    for arrived in _groups(chain):
        rnd.shuffle(arrived)
        for height, hash, raw in arrived:
            places[height] = Place(hash, *files.append(raw), len(raw))
            if height % STALE_EVERY == STALE_EVERY - 1:
                files.append(stale_sibling(raw))
    files.close()
    (folder / PLACES).write_bytes(b"".join(PLACE.pack(*places[height]) for height in sorted(places)))
    (folder / PARAMETERS).write_text(chain.parameters)


def _groups(chain: Chain) -> Iterator[list[tuple[int, bytes, bytes]]]:
    """The blocks by height, with hash and bytes, as many as arrive together."""
    group: list[tuple[int, bytes, bytes]] = []
    for raw in chain.blocks():
        group.append((chain.height, chain.tip, raw))
        if len(group) == ARRIVE_TOGETHER or chain.height == chain.plan.height:
            yield group
            group = []


def cached(plan: Plan, seed: int = 1) -> Path:
    """The folder with the files of a chain, made by the first who asks."""
    sources = [Path(__file__), *sorted(Path(sample.__path__[0]).glob("*.*"))]
    recipe = b"".join(path.read_bytes() for path in sources) + f"{plan} {seed}".encode()
    folder = Path(gettempdir()) / f"flux-bench-{hashlib.sha256(recipe).hexdigest()[:16]}"
    if not folder.exists():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        write(Chain(plan, seed), part)
        part.replace(folder)
    return folder


def places(folder: Path) -> list[Place]:
    """The active chain by height."""
    return [Place._make(row) for row in PLACE.iter_unpack((folder / PLACES).read_bytes())]
