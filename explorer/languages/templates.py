"""The same texts in templates: ``{{ _("…") }}``, ``{{ ngettext("…", "…", n) }}`` and ``{% trans %}``.

Messages of templates are literals and may hold HTML; what fills their places is escaped. They are always formatted: a
percent sign is written twice.
"""

from __future__ import annotations

from gettext import NullTranslations
from typing import Final

from jinja2 import Environment
from markupsafe import Markup, escape

from explorer.languages.catalogue import CATALOGUES
from explorer.languages.texts import language

_FIXED: Final[dict[tuple[NullTranslations, str], Markup]] = {}
"""Texts without places, ready for a page: a table asks for the same few with every row."""


def install_texts(environment: Environment) -> None:
    """Let the templates of an environment, which escapes by itself, speak the language of the request."""
    environment.add_extension("jinja2.ext.i18n")
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.globals |= {"_": _text, "gettext": _text, "pgettext": _text_in, "ngettext": _counted}
    environment.globals["language"] = language


def _text(message: str, /, **values: object) -> Markup:
    catalogue = CATALOGUES[language()]
    if values:
        return _filled(catalogue.gettext(message), values)
    fixed = _FIXED.get((catalogue, message))
    if fixed is None:
        fixed = _FIXED[catalogue, message] = _filled(catalogue.gettext(message), values)
    return fixed


def _text_in(place: str, message: str, /, **values: object) -> Markup:
    return _filled(CATALOGUES[language()].pgettext(place, message), values)


def _counted(one: str, many: str, number: int, /, **values: object) -> Markup:
    return _filled(CATALOGUES[language()].ngettext(one, many, number), {"num": f"{number:,}", **values})


def _filled(text: str, values: dict[str, object]) -> Markup:
    return Markup(text % {name: escape(value) for name, value in values.items()})
