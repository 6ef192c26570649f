"""Programs of npm that tests run: each folder beside this file names them in a ``package.json`` with its lock."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.conftest import absent

HERE = Path(__file__).parent
SECONDS = 300


def node() -> str:
    """The path of Node."""
    found = shutil.which("node")
    if found is None:
        absent("Node", "apt-get install nodejs")
    return str(found)


def installed(name: str, folder: Path) -> Path:
    """``folder`` with the files of ``tests/npm/<name>`` and the packages that its lock names.

    No script of a package runs. The lock names no host: packages come from the registry that npm is set to.
    """
    npm = shutil.which("npm")
    if npm is None:
        absent("npm", "apt-get install npm")
    shutil.copytree(HERE / name, folder, dirs_exist_ok=True)
    command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, f"npm ci of {HERE / name} failed: {done.stderr[-2000:]}"
    return folder
