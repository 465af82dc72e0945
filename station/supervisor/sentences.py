"""The few words of the supervisor's own pictures. The kiosk's are in ``ui``, which takes longer to load."""

from collections.abc import Mapping
from typing import NamedTuple


class Sentences(NamedTuple):
    """What the pictures say in one language."""

    starting: str
    restarting: str
    key_in: str
    out_of_order: str
    cannot: str
    use: str
    again: str
    days: Mapping[str, str]
    """By central's names of them."""


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENGLISH = Sentences(
    starting="Starting …",
    restarting="Restarting …",
    key_in="A key in the socket is switched OFF. Then type the PIN again.",
    out_of_order="Out of order",
    cannot="This station cannot switch keys on or off now.",
    use="Use another station:",
    again="It tries again every minute.",
    days=dict(zip(_DAYS, ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], strict=True)),
)
_SWEDISH = Sentences(
    starting="Startar …",
    restarting="Startar om …",
    key_in="En nyckel som sitter i stängs AV. Slå sedan PIN-koden igen.",
    out_of_order="Ur funktion",
    cannot="Stationen kan inte slå på eller stänga av nycklar nu.",
    use="Använd en annan station:",
    again="Ett nytt försök görs varje minut.",
    days=dict(zip(_DAYS, ["mån", "tis", "ons", "tor", "fre", "lör", "sön"], strict=True)),
)
_DANISH = Sentences(
    starting="Starter …",
    restarting="Genstarter …",
    key_in="En nøgle, der sidder i, slås FRA. Tast derefter PIN-koden igen.",
    out_of_order="Ude af drift",
    cannot="Stationen kan ikke slå nøgler til eller fra nu.",
    use="Brug en anden station:",
    again="Den prøver igen hvert minut.",
    days=dict(zip(_DAYS, ["man", "tir", "ons", "tor", "fre", "lør", "søn"], strict=True)),
)
LANGUAGES: Mapping[str, Sentences] = {"sv": _SWEDISH, "da": _DANISH, "en": _ENGLISH}
DEFAULT_LANGUAGE = "sv"
"""As in ``station.toml``."""
