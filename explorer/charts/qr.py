"""QR codes, for who holds a telephone before the screen. The only module that imports segno."""

from __future__ import annotations

import io
from typing import Final

import segno

QUIET: Final = 4  # modules of margin, which ISO/IEC 18004 asks for
MODULE: Final = 6  # px


def qr_svg(text: str) -> bytes:
    """A short text as an SVG image: black on white in every theme, or no telephone reads it."""
    image = io.BytesIO()
    code = segno.make(text, error="m", micro=False)
    code.save(image, kind="svg", scale=MODULE, border=QUIET, dark="#000", light="#fff", xmldecl=False, nl=False)
    return image.getvalue()
