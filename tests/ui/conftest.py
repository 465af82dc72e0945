from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from ui import languages


@pytest.fixture(scope="session", autouse=True)
def compiled_catalogues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The catalogues as they are in the source, compiled aside: an old .mo must not make a test green."""
    folder = tmp_path_factory.mktemp("locale")
    for language in languages.LANGUAGES[1:]:
        source = languages.LOCALE_DIR / language / "LC_MESSAGES" / "ui.po"
        target = folder / language / "LC_MESSAGES" / "ui.mo"
        target.parent.mkdir(parents=True)
        with source.open("rb") as po, target.open("wb") as mo:
            write_mo(mo, read_po(po))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(languages, "LOCALE_DIR", folder)
        yield folder
