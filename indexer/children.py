"""Child processes that do not outlive us, however we end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

# Asked of the kernel between fork and exec, which is why there is a program in between. A server may hold many
# files, so that the limit on open files goes up to what the system permits.
_LAUNCHER = """
import ctypes, os, resource, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the starting process is gone")
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
most = 64000 if hard == resource.RLIM_INFINITY else min(64000, hard)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
os.execvp(sys.argv[2], sys.argv[2:])
"""


def start_child(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    output: IO[bytes] | None = None,
    own_session: bool = False,
    files: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start ``command`` such that it gets SIGTERM when the calling *thread* ends: call from the main thread.

    ``output`` takes its stdout and stderr (default: ours). With ``own_session`` Ctrl-C does not reach it. ``files`` are
    descriptors that it has, too.
    """
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=own_session,
        pass_fds=files,
        env=dict(environ),
    )


def stop_child(child: subprocess.Popen[bytes], seconds: float) -> int:
    """End a child with SIGTERM, after ``seconds`` with SIGKILL; its exit code, negative for a signal."""
    if child.poll() is None:
        child.terminate()
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()
