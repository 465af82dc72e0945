"""Passwords that a stranger would guess: the site's own words, seasons and the like, with a year or a few signs."""

import re
import unicodedata
from typing import Any

from django.contrib.auth import get_user_model

from central.models import Area, Site, Unit

LEFT_AT_LEAST = 8
"""Characters besides listed words, years and repetitions: what is left is what has to be guessed."""
DIGITS_COUNTED = 4
"""Of those left: further ones are rather ``123456`` than chance."""
DIFFERENT_AT_LEAST = 5
WORD_FROM_CHARACTERS = 3

SEASONS = (
    "vår våren vårens sommar sommaren sommarens höst hösten höstens vinter vintern vinterns jul julen midsommar påsk "
    "forår foråret sommer sommeren efterår efteråret vinteren påske spring summer autumn fall winter christmas easter "
    "januari februari mars april maj juni juli augusti september oktober november december "
    "januar februar marts august january february march may june july october "
    "måndag tisdag onsdag torsdag fredag lördag söndag mandag tirsdag lørdag søndag "
    "monday tuesday wednesday thursday friday saturday sunday"
)
PRODUCT = (
    "station stationen central centralen sync synk nyckel nycklar nyckeln nøgle nøgler key keys lås låset lock skåp "
    "box hemtjänst hemtjänsten hemvård hemsjukvård hjemmepleje hjemmehjælp homecare kontor kontoret office kommun "
    "kommune kommunen sverige danmark sweden denmark stockholm"
)
USUAL = (
    "lösenord lösenordet adgangskode kodeord password passord passwort pass välkommen velkommen welcome hemlig hemligt "
    "hemmelig secret admin administrator root användare bruger user qwerty qwertz asdf asdfgh zxcvb abc abcd abcde "
    "test hej hejsan hello login logga inloggning byt ändra change temp ny new min mitt mit den det the och and"
)
YEAR = re.compile(r"(?:19|20)\d\d")
REPEATED = re.compile(r"(.)\1+")
_LOOKALIKES = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_NORDIC = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss"})


def is_guessable(password: str, further_words: list[str]) -> bool:
    """Whether too little is left of it without words that anybody would try, also with 0 for o and the like."""
    words = {
        _folded(word) for text in (SEASONS, PRODUCT, USUAL, *further_words) for word in re.split(r"[\W\d_]+", text)
    }
    listed = sorted((word for word in words if len(word) >= WORD_FROM_CHARACTERS), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, listed)))
    folded = _folded(password)
    # Years first: 2026 would be words with lookalikes in them.
    texts = (folded, YEAR.sub(" ", folded).translate(_LOOKALIKES))
    return any(not _is_enough(pattern.sub(" ", text)) for text in texts)


def site_words(user: Any) -> list[str]:
    """The names of the sites where they have a role, of their units and areas; of all sites for who has none yet."""
    pk = getattr(user, "pk", None)
    mine = Site.objects.filter(membership__user=pk) if pk is not None else Site.objects.none()
    sites = mine if mine.exists() else Site.objects.all()
    words = [*sites.values_list("name", flat=True)]
    for model in (Unit, Area):
        words += model._default_manager.filter(site__in=sites).values_list("name", flat=True)  # noqa: SLF001
    return words


def own_words(user: Any) -> list[str]:
    """What everybody knows of a user."""
    name = get_user_model().USERNAME_FIELD
    return [str(getattr(user, field, "") or "") for field in (name, "first_name", "last_name", "email")]


def _is_enough(rest: str) -> bool:
    bare = REPEATED.sub(r"\1", YEAR.sub(" ", rest))
    letters, digits = (sum(map(test, bare)) for test in (str.isalpha, str.isdigit))
    different = len({each for each in bare if each.isalnum()})
    return letters + min(digits, DIGITS_COUNTED) >= LEFT_AT_LEAST and different >= DIFFERENT_AT_LEAST


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_NORDIC))
    return "".join(each for each in plain if not unicodedata.combining(each))
