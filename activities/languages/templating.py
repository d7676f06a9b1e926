"""Translated texts in Jinja templates: `{% trans %}`, `_()`, `gettext`, `ngettext`, `pgettext`, `npgettext`."""

from __future__ import annotations

from gettext import NullTranslations

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import escape

from activities.languages.catalogue import Catalogue

EXTENSION = "jinja2.ext.i18n"


def translated(environment: Environment) -> None:
    """Makes the templates of an environment speak the language of their value `catalogue`, a `Catalogue`.

    One environment serves every language. Values that fill a place are escaped where the template is; line breaks
    inside `{% trans %}` count as blanks.
    """
    environment.add_extension(EXTENSION)
    environment.policies["ext.i18n.trimmed"] = True
    install = environment.install_gettext_callables  # type: ignore[attr-defined]  # comes with the extension
    install(_gettext, _ngettext, newstyle=True, pgettext=_pgettext, npgettext=_npgettext)


def _translations(context: Context) -> NullTranslations:
    words = context["catalogue"]
    if not isinstance(words, Catalogue):
        raise TypeError("a translated template needs a Catalogue as its value 'catalogue'")
    return words.translations


def _safe(context: Context, text: str) -> str:
    """Translations are text, whoever wrote them: never markup."""
    return escape(text) if context.eval_ctx.autoescape else text


@pass_context
def _gettext(context: Context, message: str) -> str:
    return _safe(context, _translations(context).gettext(message))


@pass_context
def _ngettext(context: Context, one: str, many: str, number: int) -> str:
    return _safe(context, _translations(context).ngettext(one, many, number))


@pass_context
def _pgettext(context: Context, meaning: str, message: str) -> str:
    return _safe(context, _translations(context).pgettext(meaning, message))


@pass_context
def _npgettext(context: Context, meaning: str, one: str, many: str, number: int) -> str:
    return _safe(context, _translations(context).npgettext(meaning, one, many, number))
