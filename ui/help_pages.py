"""What the pages of help say: English, marked for translation. They replace the printed sheet beside the station."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from station.core.aside import HelpPage
from ui.sentences import N_


class Light(Enum):
    """A light as it is drawn: the name is beside it, the colour is never alone."""

    BLUE = "blue"
    BLUE_BLINKING = "blue-blinking"
    GREEN = "green"
    RED = "red"
    PURPLE_BLINKING = "purple-blinking"
    DARK = "dark"

    @property
    def blinks(self) -> bool:
        """Whether it is drawn on and off in turn."""
        return self.value.endswith("-blinking")


@dataclass(frozen=True, slots=True)
class Lamp:
    """A light and what it means."""

    light: Light
    meaning: str


TITLES: Mapping[HelpPage, str] = {
    HelpPage.KEY_LIGHTS: N_("The light on the key"),
    HelpPage.LOCK_LIGHTS: N_("The light on the lock"),
    HelpPage.RED_LIGHT: N_("When the lock shows red"),
    HelpPage.TEST_LOCK: N_("Try the key in the test lock"),
    HelpPage.LOGGED: N_("What is logged"),
}

LAMPS: Mapping[HelpPage, tuple[Lamp, ...]] = {
    HelpPage.KEY_LIGHTS: (
        Lamp(Light.BLUE, N_("Blue: the key is ON.")),
        Lamp(Light.BLUE_BLINKING, N_("Blue blinking: the key is OFF.")),
        Lamp(Light.PURPLE_BLINKING, N_("Purple blinking: put it into a station.")),
        Lamp(Light.DARK, N_("Dark: press its button. Still dark: the battery is empty.")),
    ),
    HelpPage.LOCK_LIGHTS: (
        Lamp(Light.GREEN, N_("Green: it opens.")),
        Lamp(Light.RED, N_("Red: it stays shut.")),
        Lamp(Light.BLUE_BLINKING, N_("Blue blinking: the key is OFF.")),
        Lamp(Light.PURPLE_BLINKING, N_("Purple blinking: put the key into a station.")),
        Lamp(Light.DARK, N_("Dark: press the key's button, try again.")),
    ),
}

TEXTS: Mapping[HelpPage, tuple[str, ...]] = {
    HelpPage.KEY_LIGHTS: (),
    HelpPage.LOCK_LIGHTS: (),
    HelpPage.RED_LIGHT: (
        N_("1. Switch the key ON at a station, try again."),
        N_("2. Still red: a colleague's key."),
        N_("3. Nobody near: the nurse or the night patrol."),
        N_("4. Several locks red: call the on-call service."),
    ),
    HelpPage.TEST_LOCK: (
        N_("It is under the station. It opens nothing and is not logged."),
        N_("Green: the key works."),
        N_("Red: put the key into the station again, PIN and #."),
    ),
    HelpPage.LOGGED: (),
}

PRIVACY = N_(
    "Logged are the key, its holder, the time, and the lock. Ask your coordinator for how long, and who may see it."
)
"""Where the site has no notice of its own."""

FOOTER = N_("Page {page} of {pages}. Next: * Back: #")
LAST_FOOTER = N_("Page {page} of {pages}. Back: #")
"""Any other key goes back as well; one that is named is enough."""
