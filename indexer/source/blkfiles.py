"""First catch-up from the daemon's own ``blk*.dat``; the daemon says which blocks are its active chain.

The files are read once, in order and only as far as blocks are asked for. Blocks that are not in them, or that
the daemon has since written elsewhere, come by RPC: both sources may take turns without a seam.
"""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from indexer.errors import ConfigError
from indexer.source.base import DaemonStatus, OpenSource, RawBlock
from indexer.source.blkscan import LARGEST_BLOCK, Scan, hash_at_front
from indexer.source.positions import Positions
from indexer.source.window import MAX_BLOCKS, Window

WORTHWHILE = 1000
"""Blocks to catch up with from which on reading the files beats asking for the blocks."""

_HASHES = 1000
"""Most heights whose hashes are asked for at once: unlike blocks, they cost the daemon nothing."""

_OPEN_FILES = 8

log = logging.getLogger(__name__)


class BlockFiles:
    """The blocks in a folder's ``blk*.dat`` by hash; ConfigError for a folder or magic that cannot be right."""

    def __init__(self, folder: Path, magic: bytes) -> None:
        self._folder, self._magic = folder, magic
        self._positions = Positions()
        self._scans: list[tuple[Path, Scan]] = []
        self._open: OrderedDict[Path, int] = OrderedDict()
        self._seen: tuple[str, int, int] | None = None
        refuse_wrong_folder(folder, magic)

    @property
    def memory(self) -> int:
        """Bytes that the index of the files takes."""
        return self._positions.memory

    def block(self, hash_: bytes) -> bytes | None:
        """The bytes of the block with this hash, None if the files do not hold it (yet)."""
        place = self._positions.find(hash_)
        while place is None:
            if not self._read_on():
                return None
            place = self._positions.find(hash_)
        return self._read(place, hash_)

    def clear(self) -> None:
        """Forget where blocks are, but not how far the files are read: later blocks will still be found."""
        self._positions.clear()
        self.close()

    def close(self) -> None:
        """Close the files."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _read_on(self) -> bool:
        """Read the rest of the last file known, or else the next one; whether anything may have been found."""
        if self._scans and self._scan_grown():
            return True
        following = _after(block_files(self._folder), self._scans[-1][0] if self._scans else None)
        if following is None:
            return False
        # The daemon may have filled up the file before it between our look at it and this one's appearance.
        if self._scans:
            self._scan_grown()
        self._scans.append((following, Scan(self._magic)))
        self._seen = None
        log.info("reading the blocks of %s", following)
        return self._scan_grown()

    def _scan_grown(self) -> bool:
        """Read on in the last file, unless it is as at the last look; whether it was not."""
        path, scan = self._scans[-1]
        file = self._file(path)
        state = os.fstat(file)
        seen = (path.name, state.st_size, state.st_mtime_ns)
        if seen == self._seen:
            return False
        self._seen = seen
        number = len(self._scans) - 1
        for record in scan.records(file):
            self._positions.note(record.hash, number << 32 | record.offset)
        return True

    def _read(self, place: int, hash_: bytes) -> bytes | None:
        number, offset = place >> 32, place & 0xFFFFFFFF
        try:
            file = self._file(self._scans[number][0])
        except FileNotFoundError:  # a pruning daemon removes old files
            return None
        size = int.from_bytes(os.pread(file, 4, offset - 4), "little")
        raw = os.pread(file, min(size, LARGEST_BLOCK), offset)
        return raw if len(raw) == size and hash_at_front(raw) == hash_ else None

    def _file(self, path: Path) -> int:
        if path in self._open:
            self._open.move_to_end(path)
        else:
            self._open[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            if len(self._open) > _OPEN_FILES:
                os.close(self._open.popitem(last=False)[1])
        return self._open[path]


class _Run(NamedTuple):
    """Blocks in a row that the files hold, or the number of those that they do not."""

    blocks: list[RawBlock]
    missing: int
    to_the_end: bool  # whether none of the hashes that were looked for lies behind the run


def _run_of(files: BlockFiles, first: int, hashes: Sequence[bytes], most_bytes: int) -> _Run:
    blocks: list[RawBlock] = []
    missing = 0
    for height, hash_ in enumerate(hashes, first):
        raw = files.block(hash_)
        if (raw is None and blocks) or (raw is not None and missing) or missing >= MAX_BLOCKS or most_bytes <= 0:
            return _Run(blocks, missing, False)
        if raw is None:
            missing += 1
        else:
            blocks.append(RawBlock(height, hash_, raw))
            most_bytes -= len(raw)
    return _Run(blocks, missing, True)


class FilesFirst:
    """A source that takes blocks from files where it can and from ``rpc`` where it must."""

    def __init__(self, rpc: OpenSource, folder: Path, magic: bytes, *, worthwhile: int = WORTHWHILE) -> None:
        self._rpc = rpc
        self._files: BlockFiles | None = BlockFiles(folder, magic)
        self._folder = folder
        self._worthwhile = worthwhile
        self._reading = False
        self._window = Window(most=_HASHES)
        self.from_files = 0

    def close(self) -> None:
        """Close the files and the daemon's connections."""
        if self._files is not None:
            self._files.close()
        self._rpc.close()

    def status(self) -> DaemonStatus:
        """What the daemon says of itself."""
        return self._rpc.status()

    def hashes(self, heights: Sequence[int]) -> list[bytes | None]:
        """The active chain's block hashes, as the daemon says."""
        return self._rpc.hashes(heights)

    def blocks(self, first: int, last: int) -> list[RawBlock]:
        """Blocks from ``first`` on, at most to ``last``: a run that the files hold, else a batch of the daemon's."""
        if self._files is None or not (self._reading or last - first >= self._worthwhile):
            return self._rpc.blocks(first, last)
        try:
            run = self._run(self._files, first, last)
        except OSError as error:
            self._give_up(error)
            return self._rpc.blocks(first, last)
        if run.blocks:
            return run.blocks
        if run.to_the_end and last - first < self._worthwhile:
            self._caught_up(self._files, first)
        return self._rpc.blocks(first, min(last, first + max(run.missing, 1) - 1))

    def _run(self, files: BlockFiles, first: int, last: int) -> _Run:
        self._reading = True
        heights = range(first, min(last, first + self._window.size - 1) + 1)
        hashes = [hash_ for hash_ in self._rpc.hashes(heights) if hash_ is not None]
        run = _run_of(files, first, hashes, self._window.target)
        self._window.note([len(block.raw) for block in run.blocks])
        self.from_files += len(run.blocks)
        return run

    def _caught_up(self, files: BlockFiles, height: int) -> None:
        log.info("the files in %s end before block %d: the daemon's RPC goes on", self._folder, height)
        files.clear()
        self._reading = False

    def _give_up(self, error: OSError) -> None:
        log.warning(
            "the block files in %s cannot be read (%s): asking the daemon for every block; mend it and restart",
            self._folder,
            error.strerror,
        )
        self._files = None


def block_files(folder: Path) -> list[Path]:
    """The block files of a folder, oldest first."""
    return sorted(folder.glob("blk[0-9][0-9][0-9][0-9][0-9].dat"))


def _after(files: Sequence[Path], last: Path | None) -> Path | None:
    return next((path for path in files if last is None or path.name > last.name), None)


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def refuse_wrong_folder(folder: Path, magic: bytes) -> None:
    """ConfigError when the folder holds no block files, or those of a network with another ``magic``."""
    try:
        files = block_files(folder) if folder.is_dir() else []
        begins = _first_bytes(files[0], 4) if files else b""
    except OSError as error:
        raise ConfigError(
            f"daemon.blocks_dir: {folder} cannot be read ({error.strerror}): let this user read the daemon's files, "
            "or leave daemon.blocks_dir empty to ask for every block"
        ) from None
    if not files:
        below = folder / "blocks"
        hint = f"{below} has them" if below.is_dir() and block_files(below) else "name the daemon's folder blocks"
        raise ConfigError(f"daemon.blocks_dir: no blk*.dat in {folder}; {hint}, or leave it empty")
    if any(begins) and begins != magic:
        raise ConfigError(
            f"daemon.blocks_dir: {files[0]} begins with {begins.hex()}, a block of this network with {magic.hex()}: "
            "it belongs to another network; set daemon.blocks_dir or network.name to match"
        )
