"""The compiled parser. Everything else about the package is in pyproject.toml.

``FLUX_EXT``: ``auto`` (default) builds what can be built and goes on without it, the pure parser then serves;
``none`` builds nothing; ``sanitize`` builds with AddressSanitizer and UndefinedBehaviorSanitizer; ``require``
fails when the build does. ``FLUX_REQUIRE_EXT=1`` is the same as ``require``.
"""

from __future__ import annotations

import os
import sys

from setuptools import Extension, setup  # type: ignore[import-untyped]

SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g", "-O1"]


def extensions(mode: str) -> list[Extension]:
    """The extensions to build; none without Cython, unless it is required."""
    if mode == "none":
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:
        if mode == "auto":
            print("no Cython: going on without the compiled parser", file=sys.stderr)
            return []
        raise
    blockparse = Extension(
        "cython_ext.blockparse",
        ["cython_ext/blockparse.pyx", "cython_ext/sha256.c"],
        depends=["cython_ext/cursor.pxd", "cython_ext/sha256.h"],
        include_dirs=["cython_ext"],
        extra_compile_args=[*SANITIZE, "-DEXACT_COPY=1"] if mode == "sanitize" else ["-O3"],
        extra_link_args=SANITIZE if mode == "sanitize" else [],
    )
    modules: list[Extension] = cythonize(  # type: ignore[no-untyped-call]
        [blockparse], include_path=["."], force=mode == "sanitize"
    )
    for module in modules:  # after cythonize, which drops it
        module.optional = mode == "auto"
    return modules


required = os.environ.get("FLUX_REQUIRE_EXT") == "1"
setup(ext_modules=extensions(os.environ.get("FLUX_EXT", "require" if required else "auto")))
