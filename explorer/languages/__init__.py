"""Texts for people in their language: gettext's catalogues, chosen request by request.

``_``, ``ngettext``, ``pgettext``, ``N_``, ``Marked`` and ``Told`` are for modules that make texts, ``install_texts`` is
for templates, ``LanguageMiddleware`` for the application.
"""

from __future__ import annotations

from explorer.languages.catalogue import LANGUAGES, load_catalogues
from explorer.languages.choice import LANGUAGE_COOKIE, named
from explorer.languages.middleware import LanguageMiddleware
from explorer.languages.templates import install_texts
from explorer.languages.texts import N_, Marked, Told, _, language, ngettext, pgettext

__all__ = [
    "LANGUAGES", "LANGUAGE_COOKIE", "LanguageMiddleware", "Marked", "N_", "Told", "_", "install_texts", "language",
    "load_catalogues", "named", "ngettext", "pgettext",
]  # fmt: skip
