"""Where something is: degrees as people write them, and the links that maps give."""

import re

_NUMBER = r"[-+]?[0-9]{1,3}(?:\.[0-9]{1,20})?"
_LINKS = (
    # A marker says more than the middle of what was looked at.
    re.compile(rf"[?&]mlat=({_NUMBER})&(?:amp;)?mlon=({_NUMBER})"),
    re.compile(rf"!3d({_NUMBER})!4d({_NUMBER})"),
    re.compile(
        rf"[?&](?:q|query|ll|destination|daddr)=(?:loc:)?({_NUMBER})(?:,|%2C)(?:\+|%20)?({_NUMBER})", re.IGNORECASE
    ),
    re.compile(rf"/(?:place|search)/({_NUMBER}),(?:\+|%20)?({_NUMBER})"),
    re.compile(rf"@({_NUMBER}),({_NUMBER})"),
    re.compile(rf"#map=[0-9.]+/({_NUMBER})/({_NUMBER})"),
    re.compile(rf"^geo:({_NUMBER}),({_NUMBER})"),
)
_MAPS = re.compile(
    r"https?://([a-z0-9-]+\.)*(openstreetmap\.org|osm\.org|google\.[a-z]{2,3}(\.[a-z]{2})?)/(?!maps/dir/)",
    re.IGNORECASE,
)
"""Numbers in the addresses of other pages are no places; a way to go has two."""
_DEGREES = re.compile(rf"({_NUMBER})°?\s*([NS]?)(?:\s*[,;]\s*|\s+)({_NUMBER})°?\s*([EWÖØV]?)", re.IGNORECASE)
_COMMA_DEGREES = re.compile(
    r"([-+]?[0-9]{1,3}),([0-9]{1,20})°?\s*([NS]?)(?:\s*[,;]\s*|\s+)([-+]?[0-9]{1,3}),([0-9]{1,20})°?\s*([EWÖØV]?)",
    re.IGNORECASE,
)
LINK_LIMIT_CHARACTERS = 2000
_LATITUDE, _LONGITUDE = 90, 180


def place_in(text: str) -> tuple[int, int] | None:
    """Latitude and longitude in millionths of a degree: ``57.70716, 11.96679``, ``57,70716 11,96679``, a map's link.

    None where the text has none, or none on Earth. Links are of OpenStreetMap and Google Maps; short ones have none.
    """
    text = text.strip()[:LINK_LIMIT_CHARACTERS]
    if _MAPS.match(text) or text.startswith("geo:"):
        found = next((found for link in _LINKS if (found := link.search(text))), None)
        return _millionths(found[1], found[2]) if found else None
    if found := _COMMA_DEGREES.fullmatch(text):
        return _millionths(*_turned(f"{found[1]}.{found[2]}", found[3], f"{found[4]}.{found[5]}", found[6]))
    if found := _DEGREES.fullmatch(text):
        return _millionths(*_turned(found[1], found[2], found[3], found[4]))
    return None


def place_in_words(latitude: int | None, longitude: int | None) -> str:
    """``57.707160, 11.966790``; nothing where it is not known."""
    if latitude is None or longitude is None:
        return ""
    return f"{latitude / 10**6:.6f}, {longitude / 10**6:.6f}"


def _turned(latitude: str, north: str, longitude: str, east: str) -> tuple[str, str]:
    """South and west (``V`` in Swedish and Danish) are below nothing."""
    south, west = north.upper() == "S", east.upper() in ("W", "V")
    return f"-{latitude}" if south else latitude, f"-{longitude}" if west else longitude


def _millionths(latitude: str, longitude: str) -> tuple[int, int] | None:
    try:
        found = round(float(latitude) * 10**6), round(float(longitude) * 10**6)
    except ValueError:
        # ``--3``: a sign and south.
        return None
    return found if abs(found[0]) <= _LATITUDE * 10**6 and abs(found[1]) <= _LONGITUDE * 10**6 else None
