"""The same texts in templates: ``{{ _("…") }}``, ``{{ ngettext("…", "…", n) }}`` and ``{% trans %}``.

Messages of templates are literals and may hold HTML; what fills their places is escaped. They are always formatted: a
percent sign is written twice.
"""

from __future__ import annotations

from gettext import NullTranslations

from jinja2 import Environment, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from explorer.languages.catalogue import CATALOGUES
from explorer.languages.texts import language


def install_texts(environment: Environment) -> None:
    """Let the templates of an environment speak the language of the request."""
    environment.add_extension("jinja2.ext.i18n")
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.globals |= {"_": _text, "gettext": _text, "pgettext": _text_in, "ngettext": _counted}
    environment.globals["language"] = language


def _catalogue() -> NullTranslations:
    return CATALOGUES[language()]


@pass_eval_context
def _text(context: EvalContext, message: str, /, **values: object) -> str:
    return _filled(context, _catalogue().gettext(message), values)


@pass_eval_context
def _text_in(context: EvalContext, place: str, message: str, /, **values: object) -> str:
    return _filled(context, _catalogue().pgettext(place, message), values)


@pass_eval_context
def _counted(context: EvalContext, one: str, many: str, number: int, /, **values: object) -> str:
    return _filled(context, _catalogue().ngettext(one, many, number), {"num": f"{number:,}", **values})


def _filled(context: EvalContext, text: str, values: dict[str, object]) -> str:
    return (Markup(text) if context.autoescape else text) % values
