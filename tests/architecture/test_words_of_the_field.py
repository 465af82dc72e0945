"""The texts that people read use the words of `docs/reference/glossary.md`: what must not come back is listed here."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
CATALOGUES = sorted([*ROOT.glob("ui/locale/*/*/*.po"), *ROOT.glob("central/office/locale/*/*/*.po")])
GLOSSARY = ROOT / "docs" / "reference" / "glossary.md"
FORBIDDEN = {
    "sv": (
        "nyckelskåp",
        "nyckelbox",
        "reservnyck",
        "aktiveringsbox",
        "uppdateringsbox",
        "koordinator",
        "ska du gå hem",
        "talar inte om vilken",
        "går i god för",
        r"senast \S+ slutar",
        r"fel PIN\b(?!-)",
        "felaktiga PIN-koder. Vänta",
        "uppgifter under",
        r"\bdess minne",
        "SEDD",
        "på egen hand",
    ),
    "da": (
        "koordinator",
        "tændt",
        r"\btænder?\b",
        r"\bejer",
        "udløber da",
        "forkerte PIN(?!-)",
        r"\bkun SLUK\b",
        "nøgleskab",
        r"(?<![\w-])nøgle(n|r|rne|ns|s)?\b",
        "pinkode",
    ),
    "nb": ("nøkkelskap", "nyckel", "reservenøk", r"\bnøgle"),
    "fi": ("avainkaappi", "avainlaatikko", "varaavain"),
}
"""By language, as regular expressions; upper and lower case alike."""
WORDS = {
    "sv": ("nyckelgömma", "nödnyckel", "vikarienyckel", "aktiveringsdosa", "uppdateringsdosa", "samordnare"),
    "da": ("nøgleboks", "nødnøgle", "vikarnøgle", "aktiveringsboks", "opdateringsboks", "nøgleansvarlige", "e-nøgle"),
    "nb": ("nøkkelboks", "nødnøkkel", "vikarnøkkel", "aktiveringsboks", "oppdateringsboks", "koordinator"),
    "fi": ("avainsäilö", "hätäavain", "sijaisavain", "aktivointirasia", "päivitysrasia", "koordinaattori"),
}
"""What the kiosk says, in the glossary too."""


def texts(path: Path) -> list[str]:
    with path.open("rb") as file:
        strings = [message.string for message in read_po(file) if message.id]
    return [text for each in strings for text in ((each,) if isinstance(each, str) else each or ())]


def language_of(path: Path) -> str:
    return path.parents[1].name


def test_there_are_catalogues_of_every_language() -> None:
    assert sorted(map(language_of, CATALOGUES)) == sorted(2 * list(FORBIDDEN))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parents[3].name}-{path.parents[1].name}")
def test_no_wrong_word_comes_back(path: Path) -> None:
    wrong = re.compile("|".join(FORBIDDEN[language_of(path)]), re.IGNORECASE)
    assert [text for text in texts(path) if wrong.search(text)] == []


@pytest.mark.parametrize("language", WORDS)
def test_the_words_are_in_the_kiosk_and_in_the_glossary(language: str) -> None:
    said = " ".join(texts(ROOT / "ui" / "locale" / language / "LC_MESSAGES" / "ui.po")).lower()
    glossary = GLOSSARY.read_text("utf-8").lower()
    assert [word for word in WORDS[language] if word not in said] == []
    assert [word for word in WORDS[language] if word not in glossary] == []
