"""The program ``mongod``: where it is, whether it runs on this machine, what memory it may have."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from indexer.errors import ConfigError

OLDEST = (6, 0)
OWN_SERVER = "or run a MongoDB of your own and set database.uri"
# Debian 12 and 13 and Ubuntu 22.04 and 24.04 name them alike, but for the t64 suffix that apt resolves itself.
LIBRARY_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
    "libgcc_s.so.1": "libgcc-s1",
    "libresolv.so.2": "libc6",
}
SMALLEST_CACHE_MIB = 256


def find(configured: str = "") -> Path:
    """The program to start: the configured one, else the one on PATH, else the packaged one.

    Raises ConfigError when there is none.
    """
    if configured:
        found = shutil.which(os.path.expanduser(configured))
        if found is None:
            raise ConfigError(f"database.mongod is {configured!r}: no such program")
        return Path(found)
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path)
    packaged = _packaged()
    if packaged is None:
        raise ConfigError(f"no mongod on PATH, and none packaged for this machine: install MongoDB 7, {OWN_SERVER}")
    return packaged


def _packaged() -> Path | None:
    # The parent package is heavy and not needed: its folder alone is looked for.
    spec = importlib.util.find_spec("fiftyone")
    for folder in spec.submodule_search_locations or () if spec else ():
        program = Path(folder) / "db" / "bin" / "mongod"
        if program.is_file():
            # Wheels do not always keep the executable bit.
            if not os.access(program, os.X_OK):
                program.chmod(0o755)
            return program
    return None


def check(program: Path) -> tuple[int, ...]:
    """The version of ``program``; ConfigError when it cannot run here or is older than we support."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise ConfigError(_why_not(program, answer.stderr.strip()))
    match = re.search(r"db version v(\d+)\.(\d+)\.(\d+)", answer.stdout)
    if match is None:
        raise ConfigError(f"{program} --version does not name a version: set database.mongod to another, {OWN_SERVER}")
    version = tuple(int(part) for part in match.groups())
    if version < OLDEST:
        raise ConfigError(
            f"{program} is MongoDB {'.'.join(map(str, version))}, 6.0 or later is needed: "
            f"install MongoDB 7 and set database.mongod to it, {OWN_SERVER}"
        )
    return version


def _why_not(program: Path, complaint: str) -> str:
    missing = [name for name in dict.fromkeys(_missing_libraries(program, complaint))]
    if not missing:
        return f"{program} does not run here: {complaint or 'it ended without a word'}; install MongoDB 7, {OWN_SERVER}"
    packages = dict.fromkeys(LIBRARY_PACKAGES[name] for name in missing if name in LIBRARY_PACKAGES)
    remedy = f"apt-get install {' '.join(packages)}" if packages else "install it"
    return f"{program} misses {', '.join(missing)}: {remedy}, {OWN_SERVER}"


def _missing_libraries(program: Path, complaint: str) -> list[str]:
    # The loader names only the first one; ldd knows them all.
    first = re.findall(r"loading shared libraries: (\S+?):", complaint)
    ldd = shutil.which("ldd")
    if not first or ldd is None:
        return first
    listed = subprocess.run([ldd, program], capture_output=True, text=True, check=False).stdout
    return first + re.findall(r"(\S+) => not found", listed)


def cache_mib(configured: int = 0) -> int:
    """WiredTiger's cache in MiB: as configured, else a quarter of the memory that this machine or container has."""
    return configured or max(SMALLEST_CACHE_MIB, machine_memory() // 4 >> 20)


def machine_memory() -> int:
    """Bytes of memory of the machine, or of the container when that is less."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return memory
    return min(memory, int(limit)) if limit.isdigit() else memory
