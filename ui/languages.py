"""The languages of the screen, and their gettext catalogues (``ui/locale``, compiled at installation)."""

import gettext
import logging
from functools import lru_cache
from pathlib import Path

log = logging.getLogger(__name__)

SOURCE = "en"
"""The messages in the code are English; it needs no catalogue."""
LANGUAGES = (SOURCE, "sv", "da", "nb", "fi")
_NORWEGIAN = {"no": "nb", "nn": "nb"}
"""Central may have either; there is one Norwegian."""
LOCALE_DIR = Path(__file__).parent / "locale"
DOMAIN = "ui"


def chosen(*wishes: str | None) -> str:
    """The first of ``wishes`` that there is a screen in; English when there is none."""
    for wish in wishes:
        language = wish.lower()[:2] if wish is not None else ""
        language = _NORWEGIAN.get(language, language)
        if language in LANGUAGES:
            return language
    return SOURCE


def catalogue(language: str) -> gettext.NullTranslations:
    """The messages in ``language``. Without a compiled catalogue: English, and one warning in the log."""
    return _catalogue(language, LOCALE_DIR)


@lru_cache(maxsize=16)
def _catalogue(language: str, locale_dir: Path) -> gettext.NullTranslations:
    if language == SOURCE:
        return gettext.NullTranslations()
    try:
        return gettext.translation(DOMAIN, str(locale_dir), [language])
    except OSError:
        log.warning("ui.catalogue_missing language=%s", language)
        return gettext.NullTranslations()


def in_language(texts: tuple[tuple[str, str], ...], language: str) -> str:
    """The text in ``language``, else in English, else the first there is; empty without any."""
    by_language = dict(texts)
    return by_language.get(language) or by_language.get(SOURCE) or next(iter(by_language.values()), "")
