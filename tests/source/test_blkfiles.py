"""Block files: the recorded daemon's own, whole, cut, growing, damaged, split over several files."""

from __future__ import annotations

import lzma
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from indexer.errors import ConfigError
from indexer.source.base import NO_PARENT, RawBlock
from indexer.source.blkfiles import BlockFiles, FilesFirst
from indexer.source.blkscan import hash_at_front
from indexer.source.rpc import DaemonRpc
from tests import recorded
from tests.replay_daemon import ReplayDaemon

MAGIC = bytes.fromhex("aae83f5f")
MAIN_MAGIC = bytes.fromhex("24e92764")


@cache
def recorded_file() -> bytes:
    """The recorded daemon's ``blk00000.dat``."""
    return lzma.decompress((recorded.CHAIN / "blk00000.dat.xz").read_bytes())


@cache
def by_hash() -> dict[bytes, bytes]:
    """Every recorded block by its hash in wire order."""
    return {bytes.fromhex(text)[::-1]: raw for text, raw in recorded.raw_by_hash().items()}


def hash_of(height: int) -> bytes:
    return bytes.fromhex(recorded.blocks()[height]["hash"])[::-1]


def raw_of(height: int) -> bytes:
    return bytes.fromhex(recorded.blocks()[height]["hex"])


def record(raw: bytes) -> bytes:
    """A block as the daemon writes it."""
    return MAGIC + len(raw).to_bytes(4, "little") + raw


def records(heights: Sequence[int]) -> bytes:
    return b"".join(record(raw_of(height)) for height in heights)


def folder_with(path: Path, *files: bytes) -> Path:
    """A folder of block files with these contents."""
    for number, content in enumerate(files):
        (path / f"blk{number:05}.dat").write_bytes(content)
    return path


def found(files: BlockFiles, heights: Sequence[int]) -> list[int]:
    """Which of these blocks the files hold; each must be the recorded one."""
    held = []
    for height in heights:
        raw = files.block(hash_of(height))
        if raw is not None:
            assert raw == raw_of(height)
            held.append(height)
    return held


def test_every_recorded_block_is_found_stale_ones_too(tmp_path: Path) -> None:
    files = BlockFiles(folder_with(tmp_path, recorded_file()), MAGIC)
    held = {hash_: files.block(hash_) for hash_ in by_hash()}
    assert held == by_hash()
    assert files.block(bytes(32)) is None
    files.close()


def test_hash_at_front_needs_a_whole_header() -> None:
    for height in (0, 100, 1799, 1800, recorded.TIP):
        raw = raw_of(height)
        assert hash_at_front(raw) == hash_of(height)
        assert hash_at_front(raw[:143]) is None
    pow_block = raw_of(100)
    assert hash_at_front(pow_block[:140] + b"\xfd\xff\xff" + bytes(2000)) is None  # no solution is that long
    assert hash_at_front(pow_block[:140] + b"\xfe\x10\x00\x00\x00" + bytes(2000)) is None


def test_a_block_cut_short_is_found_when_the_rest_is_written(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, b"")
    files = BlockFiles(folder, MAGIC)
    whole = records(range(3))
    cuts = sorted({*random.Random(2).sample(range(len(whole)), 60), len(whole) - 1, len(whole)})
    ends = [len(records(range(n))) for n in (1, 2, 3)]
    for cut in cuts:
        (folder / "blk00000.dat").write_bytes(whole[:cut])
        assert found(files, range(3)) == [height for height in range(3) if ends[height] <= cut]
    files.close()


def test_blocks_written_into_a_preallocated_tail_are_found(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, records([0]) + bytes(1 << 21))
    files = BlockFiles(folder, MAGIC)
    assert found(files, range(3)) == [0]
    with (folder / "blk00000.dat").open("r+b") as file:
        for height in (2, 1):  # as they arrived
            file.seek(len(records([0])) + (len(record(raw_of(2))) if height == 1 else 0))
            file.write(record(raw_of(height)))
    assert found(files, range(3)) == [0, 1, 2]
    files.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x01garbage",
        MAGIC,
        MAGIC + b"\xff\xff\xff\xff" + bytes(300),
        MAGIC + (79).to_bytes(4, "little") + bytes(300),
        MAGIC + (500).to_bytes(4, "little") + bytes(300),
        MAGIC + (500).to_bytes(4, "little") + b"\xff" * 300,
        bytes(5000) + b"\x07",
        records([7])[:-100],
        records([7])[:100],
    ],
    ids=range(9),
)
def test_garbage_between_blocks_hides_none(tmp_path: Path, garbage: bytes) -> None:
    files = BlockFiles(folder_with(tmp_path, records([0, 3]) + garbage + records([2, 1]) + bytes(999)), MAGIC)
    assert found(files, range(4)) == [0, 1, 2, 3]
    files.close()


def test_a_block_is_looked_for_in_one_file_after_the_other(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, records([0, 1]), records([3]), b"", records([2, 4]))
    (folder / "blk.dat").write_bytes(b"another file")
    (folder / "rev00000.dat").write_bytes(records([9]))
    files = BlockFiles(folder, MAGIC)
    assert found(files, range(6)) == [0, 1, 2, 3, 4]
    (folder / "blk00003.dat").write_bytes(records([2, 4, 5]))
    (folder / "blk00004.dat").write_bytes(records([6]))
    assert found(files, [6, 5]) == [6, 5]
    files.close()


def test_a_block_written_twice_is_taken_from_the_later_record(tmp_path: Path) -> None:
    torn = bytearray(record(raw_of(1)))
    torn[-40:] = bytes(40)
    files = BlockFiles(folder_with(tmp_path, records([0]) + bytes(torn) + records([1, 2])), MAGIC)
    assert found(files, range(3)) == [0, 1, 2]
    files.close()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda path: path / "absent", r"no blk\*\.dat in .*absent; name the daemon's folder blocks"),
        (lambda path: path, r"no blk\*\.dat in "),
        (lambda path: folder_with(path, MAIN_MAGIC + bytes(99)), "begins with 24e92764, .* with aae83f5f: .*network"),
    ],
)
def test_a_wrong_folder_is_told(tmp_path: Path, make: object, complaint: str) -> None:
    folder = make(tmp_path)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=complaint):
        BlockFiles(folder, MAGIC)


def test_the_folder_above_is_told(tmp_path: Path) -> None:
    (tmp_path / "blocks").mkdir()
    folder_with(tmp_path / "blocks", recorded_file()[:1000])
    with pytest.raises(ConfigError, match="blocks has them"):
        BlockFiles(tmp_path, MAGIC)


# -- files and RPC in turn


def catch_up(source: FilesFirst, to: int) -> list[RawBlock]:
    """All blocks up to a height, which must link."""
    chain: list[RawBlock] = []
    while len(chain) <= to:
        parent = chain[-1].hash if chain else NO_PARENT
        for block in source.blocks(len(chain), to):
            assert (block.height, block.prev_hash) == (len(chain), parent)
            assert block.raw == raw_of(block.height)
            parent = block.hash
            chain.append(block)
    return chain


def test_no_block_is_asked_for_before_the_files_end(tmp_path: Path, daemon: ReplayDaemon, rpc: DaemonRpc) -> None:
    daemon.chain.set_tip(recorded.TIP)
    source = FilesFirst(rpc, folder_with(tmp_path, recorded_file()), MAGIC)
    catch_up(source, recorded.TIP)
    assert daemon.calls["getblock"] == 0
    assert daemon.calls["getblockhash"] < 2 * recorded.TIP
    assert source.from_files == recorded.TIP + 1
    source.close()


def test_rpc_takes_over_where_the_files_end(tmp_path: Path, daemon: ReplayDaemon, rpc: DaemonRpc) -> None:
    daemon.chain.set_tip(recorded.TIP)
    whole = records(range(2000))
    source = FilesFirst(rpc, folder_with(tmp_path, whole[:-9]), MAGIC)
    catch_up(source, recorded.TIP)
    assert (source.from_files, daemon.calls["getblock"]) == (1999, recorded.TIP + 1 - 1999)
    source.close()


def test_a_hole_in_the_files_is_filled_by_rpc(tmp_path: Path, daemon: ReplayDaemon, rpc: DaemonRpc) -> None:
    daemon.chain.set_tip(recorded.TIP)
    files = (records(range(500)), records(range(700, 1500)), records([*range(1501, 2000), *range(2001, 2401)]))
    source = FilesFirst(rpc, folder_with(tmp_path, *files), MAGIC)
    catch_up(source, recorded.TIP)
    assert (source.from_files, daemon.calls["getblock"]) == (recorded.TIP + 1 - 202, 202)
    source.close()


def test_near_the_tip_the_files_are_not_read(tmp_path: Path, daemon: ReplayDaemon, rpc: DaemonRpc) -> None:
    source = FilesFirst(rpc, folder_with(tmp_path, recorded_file()), MAGIC)
    catch_up(source, 200)
    assert (source.from_files, daemon.calls["getblock"]) == (0, 201)
    source.close()


def test_the_daemon_decides_between_competing_blocks(tmp_path: Path, daemon: ReplayDaemon, rpc: DaemonRpc) -> None:
    daemon.chain.reorg("R4", won=False)
    tip = daemon.chain.height
    source = FilesFirst(rpc, folder_with(tmp_path, recorded_file()), MAGIC, worthwhile=1)
    lost = [
        block for block in range(tip - 4, tip + 1) if daemon.chain.active[block] != recorded.blocks()[block]["hash"]
    ]
    assert lost
    (first, *_), (last, *_) = source.blocks(lost[0], tip), source.blocks(tip, tip)
    assert [first.hash[::-1].hex(), last.hash[::-1].hex()] == [daemon.chain.active[lost[0]], daemon.chain.active[-1]]
    assert daemon.calls["getblock"] <= 1
    source.close()


def test_files_that_cannot_be_read_any_more_are_given_up(
    tmp_path: Path, daemon: ReplayDaemon, rpc: DaemonRpc, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.chain.set_tip(recorded.TIP)
    source = FilesFirst(rpc, folder_with(tmp_path, records(range(1100)), records(range(1100, 2401))), MAGIC)
    for name in ("blk00000.dat", "blk00001.dat"):
        (tmp_path / name).unlink()
        (tmp_path / name).mkdir()
    catch_up(source, recorded.TIP)
    assert daemon.calls["getblock"] == recorded.TIP + 1
    assert "asking the daemon for every block" in caplog.text
    source.close()
