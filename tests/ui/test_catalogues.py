"""The catalogues say everything that the code says, and nothing else."""

import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from ui import languages

ROOT = Path(languages.__file__).parents[1]
FOLDERS = {"ui", "station", "demo", "commands"}
LOCALE = ROOT / "ui" / "locale"


@pytest.fixture(scope="module")
def wanted() -> set[str | tuple[str, ...]]:
    with (ROOT / "ui" / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(ROOT, methods, options, directory_filter=lambda folder: Path(folder).name in FOLDERS)
    return {message for _, _, message, _, _ in found}


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def messages(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_there_is_something_to_translate(wanted: set[str | tuple[str, ...]]) -> None:
    assert "Key is OFF." in wanted
    assert ("{count} area", "{count} areas") in wanted


def test_the_template_is_up_to_date(wanted: set[str | tuple[str, ...]]) -> None:
    """Mend: the command in ui/babel.cfg."""
    assert {message.id for message in messages(read(LOCALE / "ui.pot"))} == wanted


@pytest.mark.parametrize("language", languages.LANGUAGES[1:])
def test_no_message_is_missing_fuzzy_or_unused(language: str, wanted: set[str | tuple[str, ...]]) -> None:
    catalog = read(LOCALE / language / "LC_MESSAGES" / "ui.po")
    assert {message.id for message in messages(catalog)} == wanted
    assert not catalog.obsolete
    for message in messages(catalog):
        translated = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(translated), message.id
        assert not message.fuzzy, message.id
        source = message.id if isinstance(message.id, str) else message.id[-1]
        assert all(fields(str(text)) == fields(str(source)) for text in translated), message.id


def test_every_language_has_a_catalogue() -> None:
    assert {path.name for path in LOCALE.iterdir() if path.is_dir()} == set(languages.LANGUAGES[1:])
