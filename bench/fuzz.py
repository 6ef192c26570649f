"""Mutated blocks and transactions through the compiled parser: ``python -m bench.fuzz [CASES [SEED]]``.

The extension is built with AddressSanitizer and UndefinedBehaviorSanitizer in a temporary directory and run
there in a process of its own, so that a finding ends the run with the sanitizer's report. Each case is
deterministic by its seed and number. A sample also goes through the pure parser, which must agree.
"""

from __future__ import annotations

import json
import lzma
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from time import perf_counter

from bench.mix import mix
from indexer.errors import MerkleMismatch, ParseError
from indexer.parse import pure
from indexer.parse.columns import ints

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "data"
CASES, SEED = 2_000_000, 1
BLOCK_SHARE = 4  # one case in so many is a block
COMPARED = 200  # one case in so many goes through the pure parser too
LARGEST = 6000  # bytes of a block that is mutated
INTERESTING = [
    b"\0", b"\x01", b"\xfc", b"\xfd\xfd\0", b"\xfd\xff\xff", b"\xfe\0\0\x01\0", b"\xfe\0\0\0\x02",
    b"\xfe\xff\xff\xff\xff", b"\xff\0\0\0\0\x01\0\0\0", b"\xff" * 9, b"\x05\0\0\0\x02", b"\x05\0\0\0\x04",
    b"\x06\0\0\0\x02\x01\x01\0\0", b"\x04\0\0\x80\x85\x20\x2f\x89", b"\x03\0\0\x80\x70\x82\xc4\x03",
    b"\x7f" + b"\xff" * 7, b"\x80" + bytes(7),
]  # fmt: skip


def samples() -> tuple[list[bytes], list[bytes]]:
    """Small real and recorded blocks, and transactions, of every kind."""
    with lzma.open(DATA / "chain" / "blocks.jsonl.xz", "rt") as lines:
        chain = [bytes.fromhex(json.loads(line)["hex"]) for line in lines]
    recorded = chain[::40] + chain[318:325] + chain[1300:1312] + chain[1805:1830]
    blocks = [raw for raw in (*recorded, *mix(8)[::3]) if len(raw) <= LARGEST]
    transactions = {}
    for parsed in map(pure.parse_block, chain[::5] + recorded):
        bounds = pairwise(ints(parsed.tx_start, "I"))
        for (start, end), header, kind in zip(bounds, ints(parsed.headers, "I"), parsed.kinds, strict=True):
            if end - start <= LARGEST:
                transactions[header, kind, (end - start) // 32] = parsed.raw[start:end]
    return blocks, list(transactions.values())


# --- mutation -----------------------------------------------------------------------------------------------


def _flip_bit(raw: bytearray, rnd: Random, pool: Sequence[bytes]) -> None:
    raw[rnd.randrange(len(raw))] ^= 1 << rnd.randrange(8)


def _set_byte(raw: bytearray, rnd: Random, pool: Sequence[bytes]) -> None:
    raw[rnd.randrange(len(raw))] = rnd.choice((0, 1, 2, 0x7F, 0x80, 0xFC, 0xFD, 0xFE, 0xFF, rnd.randrange(256)))


def _overwrite(raw: bytearray, rnd: Random, pool: Sequence[bytes]) -> None:
    at, value = rnd.randrange(len(raw)), rnd.choice(INTERESTING)
    raw[at : at + len(value)] = value


def _insert_length(raw: bytearray, rnd: Random, pool: Sequence[bytes]) -> None:
    at = rnd.randrange(len(raw))
    raw[at : at + 1] = rnd.choice(INTERESTING)


def _truncate(raw: bytearray, rnd: Random, pool: Sequence[bytes]) -> None:
    del raw[rnd.randrange(len(raw)) :]


def _remove(raw: bytearray, rnd: Random, pool: Sequence[bytes]) -> None:
    at = rnd.randrange(len(raw))
    del raw[at : at + rnd.randrange(1, 100)]


def _duplicate(raw: bytearray, rnd: Random, pool: Sequence[bytes]) -> None:
    at = rnd.randrange(len(raw))
    raw[at:at] = raw[at : at + rnd.randrange(1, 400)]


def _splice(raw: bytearray, rnd: Random, pool: Sequence[bytes]) -> None:
    other = rnd.choice(pool)
    raw[rnd.randrange(len(raw)) :] = other[rnd.randrange(len(other)) :]


MUTATIONS = (_flip_bit, _set_byte, _set_byte, _overwrite, _insert_length, _truncate, _remove, _duplicate, _splice)


def mutate(pool: Sequence[bytes], seed: int, count: int) -> Iterator[bytes]:
    """``count`` members of the pool, each with one to four mutations."""
    rnd = Random(seed)
    for _ in range(count):
        raw = bytearray(rnd.choice(pool))
        for _ in range(rnd.choice((1, 1, 1, 2, 4))):
            if raw:
                rnd.choice(MUTATIONS)(raw, rnd, pool)
        yield bytes(raw)


# --- the run ------------------------------------------------------------------------------------------------


def outcome(parse: object, raw: bytes) -> object:
    """What a parser makes of the bytes: columns, or the error's text."""
    assert callable(parse)
    try:
        return parse(raw)
    except (ParseError, MerkleMismatch) as error:
        return f"{type(error).__name__}: {error}"


def _kind(result: object) -> str:
    return result.partition(":")[0] if isinstance(result, str) else "parsed"


def run(cases: int, seed: int) -> None:
    """Run all cases in this process and print what came out; exits on a disagreement of the parsers."""
    from indexer.parse import compiled  # where it is the sanitized one

    blocks, transactions = samples()
    outcomes: Counter[str] = Counter()
    structures: set[str] = set()
    began = perf_counter()
    rounds = (
        ("block", blocks, cases // BLOCK_SHARE, compiled.parse_block, pure.parse_block),
        ("transaction", transactions, cases - cases // BLOCK_SHARE, compiled.parse_transaction, pure.parse_transaction),
    )
    for what, pool, count, parse, reference in rounds:
        for number, raw in enumerate(mutate(pool, seed, count)):
            result = outcome(parse, raw)
            outcomes[f"{what} {_kind(result)}"] += 1
            if isinstance(result, str) and " at offset " in result:
                structures.add(result.rpartition("(in ")[2].partition(" at offset")[0])
            if number % COMPARED == 0 and outcome(reference, raw) != result:
                sys.exit(f"the parsers disagree on {what} {number} of seed {seed}: {raw.hex()}")
    print(f"{cases} cases of seed {seed} in {perf_counter() - began:.0f} s, no finding; {compiled.blockparse.__file__}")
    print(", ".join(f"{name} {count}" for name, count in sorted(outcomes.items())))
    print(f"{len(structures)} structures refused")


def _library(name: str) -> str:
    found = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def sanitized(cases: int, seed: int) -> int:
    """Build the extension with sanitizers, run the cases in a process of their own, give its exit status."""
    with tempfile.TemporaryDirectory() as built:
        build = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", built, "--build-temp", f"{built}/temp"]
        subprocess.run(build, cwd=ROOT, env=os.environ | {"FLUX_EXT": "sanitize"}, check=True)
        for package in ("indexer", "bench", "tests"):
            (Path(built) / package).symlink_to(ROOT / package)
        (Path(built) / "cython_ext" / "__init__.py").touch()
        environment = os.environ | {
            "LD_PRELOAD": _library("libasan.so"),
            "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter's own
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
            "PYTHONMALLOC": "malloc",  # so that each bytes object has its own guarded memory
            "PYTHONPATH": built,
        }
        command = [sys.executable, "-m", "bench.fuzz", "--here", str(cases), str(seed)]
        return subprocess.run(command, cwd=built, env=environment, check=False).returncode


def main(arguments: list[str]) -> None:
    """Run under the sanitizers, or with ``--here`` in this very process."""
    numbers = [int(a) for a in arguments if a != "--here"]
    cases, seed = numbers[0] if numbers else CASES, numbers[1] if len(numbers) > 1 else SEED
    if "--here" in arguments:
        run(cases, seed)
    else:
        sys.exit(sanitized(cases, seed))


if __name__ == "__main__":
    main(sys.argv[1:])
