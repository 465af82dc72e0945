"""The sample site: Exempelby, which does not exist, its units, areas and stations."""

SITE_NAME = "Exempelby"
TIMEZONE = "Europe/Stockholm"
TECHNICIANS = {"sv": "Tekniker", "da": "Teknikere", "nb": "Teknikere", "fi": "Teknikot", "en": "Technicians"}
ON_CALL = {
    "sv": "Chef i beredskap",
    "da": "Vagthavende leder",
    "nb": "Vakthavende leder",
    "fi": "Päivystävä esihenkilö",
    "en": "On-call manager",
}
NURSE = {"sv": "Sjuksköterska", "da": "Sygeplejerske", "nb": "Sykepleier", "fi": "Sairaanhoitaja", "en": "Nurse"}
NIGHT_PATROL = {"sv": "Nattpatrullen", "da": "Natholdet", "nb": "Nattpatruljen", "fi": "Yöpartio", "en": "Night patrol"}
WORKING_DAYS, EVERY_DAY = 31, 127
OPENS, CLOSES, DAY_END = 8 * 60, 16 * 60 + 30, 24 * 60
_ALWAYS = {"days": EVERY_DAY, "from": 0, "to": DAY_END, "holidays": True}
SUPPORT = [
    {"days": WORKING_DAYS, "from": OPENS, "to": CLOSES, "holidays": False, "phone": "000-000 01", "text": TECHNICIANS},
    {**_ALWAYS, "phone": "000-000 02", "text": ON_CALL},
    {**_ALWAYS, "phone": "000-000 03", "text": NURSE},
    {**_ALWAYS, "phone": "000-000 04", "text": NIGHT_PATROL},
]
"""The first that is answered is this hour's; help names the others."""
PRIVACY_NOTICE = {
    "sv": "Stationen loggar nyckel, tid och innehavare. Exempelby är en påhittad kommun.",
    "da": "Stationen logger e-nøgle, tid og indehaver. Exempelby er en opdigtet kommune.",
    "nb": "Stasjonen logger nøkkel, tid og innehaver. Exempelby er en oppdiktet kommune.",
    "fi": "Asema kirjaa avaimen, ajan ja haltijan. Exempelby on keksitty kunta.",
    "en": "This station logs key, time and holder. Exempelby is an invented municipality.",
}

NORTH, SOUTH, EAST, WEST, NURSES, NIGHT, RESCUE, PROVIDER = range(1, 9)
UNITS = {
    NORTH: "Hemtjänst Norr",
    SOUTH: "Hemtjänst Söder",
    EAST: "Hemtjänst Öster",
    WEST: "Hemtjänst Väster",
    NURSES: "Sjuksköterskor",
    NIGHT: "Nattpatrullen",
    RESCUE: "Räddningstjänsten",
    PROVIDER: "Påhittad Omsorg AB",
}
CLOSED = {PROVIDER}

AREAS = {
    2: "Kvarnbacken", 3: "Björkdungen", 4: "Hamngatan", 5: "Sjöstranden", 6: "Gruvlyckan",
    7: "Tallhöjden", 8: "Kyrkbyn", 9: "Stationsparken", 10: "Ängsvägen",
}  # fmt: skip
UNIT_AREAS = {
    NORTH: (2, 3), SOUTH: (4, 5), EAST: (6, 7), WEST: (8, 9), NURSES: (), NIGHT: (2, 3, 4, 5, 6, 7, 8, 9),
    RESCUE: (), PROVIDER: (10,),
}  # fmt: skip
EVERY_AREA = {NURSES, RESCUE}

FIRST_LOCK = 101
LOCKS = 300

SYNC_STATION, ACTIVATION_BOX, UPDATE_BOX = range(3)
STATIONS = [
    ("Kvarnbacken entré", "Kvarnvägen 1", NORTH, SYNC_STATION),
    ("Björkdungen", "Björkstigen 2", NORTH, SYNC_STATION),
    ("Hamngatan", "Hamngatan 3", SOUTH, SYNC_STATION),
    ("Sjöstranden", "Strandvägen 4", SOUTH, SYNC_STATION),
    ("Gruvlyckan", "Gruvgatan 5", EAST, SYNC_STATION),
    ("Tallhöjden", "Tallvägen 6", EAST, SYNC_STATION),
    ("Kyrkbyn", "Kyrkvägen 7", WEST, SYNC_STATION),
    ("Stationsparken", "Järnvägsgatan 8", WEST, SYNC_STATION),
    ("Vårdcentralen", "Lasarettsgatan 9", NURSES, SYNC_STATION),
    ("Nattpatrullens garage", "Månskensgränd 10", NIGHT, SYNC_STATION),
    ("Brandstationen", "Brandgatan 11", RESCUE, SYNC_STATION),
    ("Påhittad Omsorg", "Ängsvägen 12", PROVIDER, UPDATE_BOX),
    ("Krisskåpet Norr", "Kvarnvägen 1, källaren", NORTH, ACTIVATION_BOX),
]
