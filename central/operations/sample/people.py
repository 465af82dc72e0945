"""The sample people, all invented, and the keys that they share."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from central.operations.sample.places import EAST, NIGHT, NORTH, NURSES, PROVIDER, RESCUE, SOUTH, WEST
from central.signing.pins import is_guessable

PERMANENT, LONG_TERM, HOURLY = range(3)
PERSONAL, SUBSTITUTE, EMERGENCY = range(3)
DAY_SHIFT = [[127, 6 * 60, 22 * 60]]
NIGHT_SHIFT = [[127, 21 * 60, 1440], [127, 0, 7 * 60]]
WEEKDAYS_ONLY = [[31, 7 * 60, 17 * 60]]
FIRST_HOLDER = 1001
FIRST_KEY = 5001


@dataclass(frozen=True)
class Person:
    """A sample person. ``units``: where hourly staff may use the pool, their own unit first."""

    given_name: str
    family_name: str
    category: int
    units: tuple[int, ...]
    windows: list[list[int]] = field(default_factory=list)
    ended: bool = False
    ends_in_days: int | None = None
    language: str = ""

    @property
    def unit(self) -> int:
        """The unit that employs them."""
        return self.units[0]


PEOPLE = [
    Person("Anna", "Apelsin", PERMANENT, (NORTH,)),
    Person("Bertil", "Blåbär", PERMANENT, (NORTH,)),
    Person("Cecilia", "Citron", LONG_TERM, (NORTH,)),
    Person("David", "Dadel", HOURLY, (NORTH,)),
    Person("Elin", "Enbär", HOURLY, (NORTH, SOUTH, EAST)),
    Person("Fredrik", "Fikon", PERMANENT, (NORTH,), DAY_SHIFT),
    Person("Greta", "Granatäpple", PERMANENT, (NORTH,), language="en"),
    Person("Hassan", "Hallon", PERMANENT, (SOUTH,)),
    Person("Ingrid", "Ingefära", PERMANENT, (SOUTH,)),
    Person("Johan", "Jordgubbe", PERMANENT, (SOUTH,), DAY_SHIFT),
    Person("Karin", "Körsbär", LONG_TERM, (SOUTH,), ends_in_days=5),
    Person("Lars", "Lingon", HOURLY, (SOUTH,)),
    Person("Maria", "Mandarin", HOURLY, (SOUTH, WEST)),
    Person("Nils", "Nypon", PERMANENT, (EAST,)),
    Person("Olivia", "Oliv", PERMANENT, (EAST,)),
    Person("Petra", "Päron", PERMANENT, (EAST,), ended=True),
    Person("Qasim", "Kvitten", LONG_TERM, (EAST,)),
    Person("Rut", "Rabarber", HOURLY, (EAST,)),
    Person("Sven", "Slånbär", HOURLY, (EAST, NORTH)),
    Person("Tove", "Tranbär", PERMANENT, (WEST,), language="da"),
    Person("Ulf", "Umbra", PERMANENT, (WEST,)),
    Person("Vera", "Vinbär", PERMANENT, (WEST,), WEEKDAYS_ONLY),
    Person("Wilma", "Vildhallon", LONG_TERM, (WEST,)),
    Person("Xerxes", "Smultron", HOURLY, (WEST,)),
    Person("Yasmin", "Yuzu", PERMANENT, (NURSES,)),
    Person("Zlatko", "Zucchini", PERMANENT, (NURSES,)),
    Person("Åsa", "Åkerbär", PERMANENT, (NURSES,)),
    Person("Ärla", "Äpple", LONG_TERM, (NURSES,)),
    Person("Örjan", "Örtsalt", PERMANENT, (NIGHT,), NIGHT_SHIFT),
    Person("Agda", "Aprikos", PERMANENT, (NIGHT,), NIGHT_SHIFT),
    Person("Börje", "Björnbär", PERMANENT, (NIGHT,)),
    Person("Doris", "Druva", HOURLY, (NIGHT,), NIGHT_SHIFT),
    Person("Einar", "Ekollon", PERMANENT, (RESCUE,)),
    Person("Fatima", "Fläder", PERMANENT, (RESCUE,)),
    Person("Gunnar", "Gurka", PERMANENT, (RESCUE,)),
    Person("Hedda", "Havtorn", PERMANENT, (PROVIDER,)),
    Person("Ivar", "Isop", PERMANENT, (PROVIDER,)),
    Person("Jamila", "Jasmin", LONG_TERM, (PROVIDER,)),
    Person("Klas", "Krusbär", HOURLY, (PROVIDER,)),
    Person("Lena", "Lime", HOURLY, (PROVIDER,)),
]

POOLS = [
    *(
        (SUBSTITUTE, unit)
        for unit in (NORTH, NORTH, NORTH, SOUTH, SOUTH, EAST, EAST, WEST, WEST, NIGHT, NIGHT, PROVIDER, PROVIDER)
    ),
    *((EMERGENCY, unit) for unit in (NORTH, SOUTH, EAST, WEST, NURSES, NIGHT, RESCUE, PROVIDER)),
]
EMERGENCY_KEYS_A_UNIT = 3
FURTHER_POOLS = [(kind, unit) for kind, unit in POOLS if kind == EMERGENCY for _ in range(EMERGENCY_KEYS_A_UNIT - 1)]
"""The rest of each unit's emergency keys; after all others, whose numbers the scenarios know."""
# At the end of the numbers: keys with a story, and blank ones to hand out.
BLOCKED = (SUBSTITUTE, SOUTH)
LOCKED = (SUBSTITUTE, EAST)
RETURNED = (EMERGENCY, WEST)
BLANKS = [(SUBSTITUTE, NORTH), (SUBSTITUTE, SOUTH), (SUBSTITUTE, EAST), (EMERGENCY, NORTH), (EMERGENCY, NURSES)]
BLANK_PERSONAL = 0
"""The person in PEOPLE for whom a blank personal key waits, to replace the own one."""


def sample_pins() -> Iterator[str]:
    """Six-digit PINs, the same each time: samples, for a demonstration."""
    seen = set()
    counter = 0
    while True:
        counter += 1
        number = int.from_bytes(hashlib.sha256(f"sample pin {counter}".encode()).digest()[:8], "big")
        pin = f"{number % 10**6:06d}"
        if pin not in seen and not is_guessable(pin):
            seen.add(pin)
            yield pin
