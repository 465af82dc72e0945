"""The office's catalogues say everything that its pages say, and nothing else."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po
from django.conf import settings

import tests.central.django_ready  # noqa: F401
from central.office.template_messages import MESSAGE, WITH_NAMES, in_templates

OFFICE = Path(__file__).parents[2] / "central" / "office"
METHODS = [("**.py", "python"), ("templates/**.html", "office")]
LANGUAGES = [language for language, _ in settings.LANGUAGES if language != settings.LANGUAGE_CODE]
FIELD = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module")
def wanted() -> set[str]:
    found = extract_from_dir(OFFICE, [("**.py", "python")], keywords={"_": None, "gettext_lazy": None})
    messages = {str(message) for _, _, message, _, _ in found}
    # The names of the roles are with their model.
    roles = extract_from_file("python", OFFICE.parent / "models" / "users.py", keywords={"_": None})
    messages |= {str(message) for _, message, _, _ in roles}
    for path in (OFFICE / "templates").rglob("*.html"):
        with path.open("rb") as file:
            messages |= {message for _, _, message, _ in in_templates(file, None, None, None)}
    return messages


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def test_every_word_of_the_templates_can_be_translated(wanted: set[str]) -> None:
    assert {"Key office", "Lost: block it", "Key %(key)s is blocked."} <= wanted
    for path in (OFFICE / "templates").rglob("*.html"):
        text = path.read_text("utf-8")
        # A tag that the extraction does not see would stay English without a word.
        assert text.count("{% translate") == len(MESSAGE.findall(text)), path.name
        assert text.count("{% blocktranslate") == len(WITH_NAMES.findall(text)), path.name
        text = WITH_NAMES.sub("", text)
        bare = re.sub(r"{%.*?%}|{{.*?}}|<code>.*?</code>|<[^>]*>", " ", text, flags=re.DOTALL)
        assert set(re.findall(r"[^\W\d_]{2,}", bare)) <= {"PIN", "html"}, path.name


def test_every_language_has_a_catalogue() -> None:
    assert {path.name for path in (OFFICE / "locale").iterdir() if path.is_dir()} == set(LANGUAGES)


def test_the_template_is_up_to_date(wanted: set[str]) -> None:
    """Mend: the commands in central/office/babel.cfg."""
    assert {str(message.id) for message in read(OFFICE / "locale" / "django.pot") if message.id} == wanted


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_missing_or_unused(language: str, wanted: set[str]) -> None:
    catalog = read(OFFICE / "locale" / language / "LC_MESSAGES" / "django.po")
    assert not catalog.obsolete
    assert {str(message.id) for message in catalog if message.id} == wanted
    for message in catalog:
        if message.id:
            assert message.string, message.id
            assert not message.fuzzy, message.id
            assert FIELD.findall(str(message.string)) == FIELD.findall(str(message.id)), message.id
