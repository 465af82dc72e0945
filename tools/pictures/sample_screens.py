"""The screens of the documentation's pictures. The people, places and numbers in them are invented."""

from collections.abc import Mapping
from dataclasses import replace

from central.operations.sample import places
from station.display.idle import HelpTopic, View
from station.display.screen import (
    Changes,
    IdlePage,
    Line,
    Notes,
    OutsideHelp,
    PastVisit,
    Progress,
    Receipt,
    Screen,
    Status,
    Technician,
)
from station.records.claims import ClockSource, KeyKind, Role
from station.rules.facts import LookUpReason, LookUps, OffOnlyReason, Refusal, Shortened
from station.rules.hand_out import HandOutTold
from station.rules.support import Neighbour, SupportLine

NOW_S = 1_774_850_100
"""2026-03-30 07:55 in Stockholm."""
STATUS = Status(
    station=12,
    online=True,
    mirror_age_s=20,
    off_only=None,
    unix_s=NOW_S - 3600,
    clock_trusted=True,
    time_zone="Europe/Stockholm",
    name="Björkgården",
    pin_digits=6,
)
BLOCKED_AT = NOW_S - 54_900
"""The day before, 16:40."""
OFFLINE = replace(STATUS, online=False, mirror_age_s=9000, offline_since=NOW_S - 3600 - 9000)
KEY = 1042
HOLDER = "Tilda Påhittsdotter"
UNIT = "Hemtjänst Norr"
RECEIPT = Receipt(
    expires=NOW_S + 36000,
    shortened=None,
    every_area=False,
    areas=(3, 5),
    area_names=("Granbacken", "Kvarnby"),
    locks=3,
    mirror_age_s=20,
    online=True,
)
NOTES = Notes(
    battery_percent=15,
    permit_ends=NOW_S + 86400,
    lost_power=True,
    changes=Changes(added=(5,), removed=(7,), boxes_added=2),
)
SUPPORT = SupportLine(
    frozenset(range(7)),
    0,
    0,
    holidays=True,
    phone="+46 100 00 00 02",
    texts=tuple(places.ON_CALL.items()),
)
OTHERS = tuple(
    replace(SUPPORT, phone=phone, texts=tuple(texts.items()))
    for phone, texts in (
        ("+46 100 00 00 01", places.TECHNICIANS),
        ("+46 100 00 00 03", places.NURSE),
        ("+46 100 00 00 04", places.NIGHT_PATROL),
    )
)
OUTSIDE_HELP = OutsideHelp(
    (
        Neighbour(3, "Granbacken", "Granvägen 1", 1),
        Neighbour(5, "Björkdungen", "Björkstigen 2", 1, silent=True),
        Neighbour(8, "Hamngatan", "Hamngatan 3", 2),
    ),
    SUPPORT,
)
PRIVACY = (
    (
        "sv",
        "Stationen loggar nyckel, tid och innehavare. Frågor: dataskyddsombudet i Exempelby, 000-000 03.",
    ),
    ("da", "Stationen logger e-nøgle, tid og indehaver. Spørgsmål: databeskyttelse i Exempelby, 000-000 03."),
    (
        "nb",
        "Stasjonen logger nøkkel, tid og innehaver. Spørsmål: personvernombudet i Exempelby, 000-000 03.",
    ),
    (
        "fi",
        "Asema kirjaa avaimen, ajan ja haltijan. Kysymykset: Exempelbyn tietosuojavastaava, 000-000 03.",
    ),
    ("en", "This station logs key, time and holder. Questions: data protection in Exempelby, 000-000 03."),
)
TECHNICIAN = Technician(
    reader="/dev/key-reader",
    reader_works=True,
    central="https://central.exempelby.example",
    clock=ClockSource.SYNCED,
    mirror_objects=1234,
    outbox_events=0,
    config_version="0123456789ab",
    version="0.1.0",
    certificate_expires=NOW_S + 40 * 86400,
    visits=(
        PastVisit(NOW_S - 3700, KeyKind.PERSONAL, "ready"),
        PastVisit(NOW_S - 3900, KeyKind.PERSONAL, "ready"),
        PastVisit(NOW_S - 4200, KeyKind.SUBSTITUTE, "off"),
        PastVisit(NOW_S - 4500, KeyKind.PERSONAL, "refused", Refusal.LOCKED),
    ),
)


def _own(line: Line, **more: object) -> Screen:
    """A screen about the sample key."""
    return replace(Screen(line, STATUS, key=KEY, kind=KeyKind.PERSONAL, holder_name=HOLDER), **more)  # type: ignore[arg-type]


def _pool(line: Line, kind: KeyKind, **more: object) -> Screen:
    return replace(Screen(line, STATUS, key=2007, kind=kind, unit_name=UNIT), **more)  # type: ignore[arg-type]


_LINES = {
    "empty": Screen(Line.EMPTY, STATUS),
    "reading": _own(Line.READING),
    "prompt": _own(Line.PROMPT),
    "typing": _own(Line.PROMPT, digits=4),
    "wrong-pin": _own(Line.WRONG_PIN, refusal=Refusal.WRONG_PIN),
    "substitute-wrong-pin": _pool(Line.WRONG_PIN, KeyKind.SUBSTITUTE, refusal=Refusal.WRONG_PIN),
    "emergency-wrong-pin": _pool(Line.WRONG_PIN, KeyKind.EMERGENCY, refusal=Refusal.WRONG_PIN),
    "wait": _own(Line.WAIT, wait_s=15, refusal=Refusal.WRONG_PIN),
    "checking": _own(Line.CHECKING),
    "activating": _own(Line.ACTIVATING, progress=Progress(700, 1740)),
    "ready": _own(Line.READY, receipt=RECEIPT),
    "ready-offline": _own(
        Line.READY,
        status=OFFLINE,
        receipt=replace(RECEIPT, online=False, mirror_age_s=9000, shortened=Shortened.WINDOW),
    ),
    "ready-notes": _own(Line.READY, receipt=RECEIPT, notes=NOTES, area_names=((5, "Kvarnby"), (7, "Sjöängen"))),
    "left-in-soon": _own(Line.READY, receipt=RECEIPT, off_in_s=12),
    "out-ready": _own(Line.OUT_READY, receipt=RECEIPT),
    "out-off": _own(Line.OUT_OFF),
    "refused-out": _own(Line.OUT_OFF, refusal=Refusal.BLOCKED, blocked_at=BLOCKED_AT, outside_help=OUTSIDE_HELP),
    "lost-power": _own(Line.PROMPT, notes=Notes(lost_power=True)),
    "out-early": _own(Line.OUT_EARLY),
    "out-unsure": _own(Line.OUT_UNSURE, still_on_until=RECEIPT.expires),
    "out-halfway": _own(Line.OUT_UNSURE, still_on_until=RECEIPT.expires, halfway=True),
    "still-on": _own(Line.STILL_ON, still_on_until=RECEIPT.expires, outside_help=OUTSIDE_HELP),
    "unreadable": Screen(Line.UNREADABLE, STATUS, outside_help=OUTSIDE_HELP),
    "blank": Screen(Line.BLANK, STATUS, digits=7),
    "blank-wrong-code": Screen(Line.BLANK, STATUS, hand_out=HandOutTold.BAD_CODE),
    "handing-out": Screen(Line.HANDING_OUT, STATUS),
    "handed-out": _own(Line.HANDED_OUT),
    "left-in": _own(Line.LEFT_IN),
    "flickering": _own(Line.READING, flickering=True),
    "emergency-prompt": _pool(Line.PROMPT, KeyKind.EMERGENCY),
    "emergency-ready": _pool(Line.READY, KeyKind.EMERGENCY, holder_name=HOLDER, receipt=RECEIPT),
    "substitute-out": _pool(Line.OUT_OFF, KeyKind.SUBSTITUTE),
    "only-off": Screen(
        Line.EMPTY, replace(OFFLINE, off_only=OffOnlyReason.CLOCK, clock_trusted=False), outside_help=OUTSIDE_HELP
    ),
    "only-off-blocked": Screen(Line.EMPTY, replace(STATUS, off_only=OffOnlyReason.BLOCKED), outside_help=OUTSIDE_HELP),
    "out-of-order": Screen(Line.READER_BROKEN, STATUS, outside_help=OUTSIDE_HELP),
    "standby": Screen(Line.EMPTY, STATUS, idle_page=IdlePage(View.STANDBY)),
    "code": Screen(Line.EMPTY, STATUS, idle_page=IdlePage(View.CODE, digits=4)),
    "wrong-code": Screen(Line.EMPTY, STATUS, idle_page=IdlePage(View.WRONG_CODE)),
    "technician": Screen(Line.EMPTY, STATUS, idle_page=IdlePage(View.TECHNICIAN, technician=TECHNICIAN)),
}
BOX = replace(STATUS, role=Role.ACTIVATION_BOX, online=False, mirror_age_s=None)
UPDATE_BOX = replace(STATUS, role=Role.UPDATE_BOX)
_BOX_RECEIPT = replace(RECEIPT, online=False, mirror_age_s=0)
_BOXES = {
    "box-empty": Screen(Line.EMPTY, BOX),
    "box-seen": replace(_own(Line.PROMPT, status=BOX, digits=4), holder_name=None),
    "box-active": replace(_own(Line.READY, status=BOX, receipt=_BOX_RECEIPT), holder_name=""),
    "box-wrong-pin": _own(Line.WRONG_PIN, status=BOX, refusal=Refusal.WRONG_PIN),
    "box-wait": _own(Line.WAIT, status=BOX, refusal=Refusal.WRONG_PIN, wait_s=15),
    "box-only-off": Screen(Line.EMPTY, replace(BOX, off_only=OffOnlyReason.CLOCK, clock_trusted=False)),
    "update-empty": Screen(Line.EMPTY, UPDATE_BOX),
    "update-renewed": _own(Line.READY, status=UPDATE_BOX, receipt=replace(RECEIPT, shortened=Shortened.WINDOW)),
}
_AT_BOXES = {
    Refusal.CLOCK_UNSET: BOX,
    Refusal.BAD_KEY_RECORD: BOX,
    Refusal.BAD_STATION_CERTIFICATE: BOX,
    Refusal.NEVER_SYNCED: BOX,
    Refusal.SYNCED_TOO_LONG_AGO: BOX,
    Refusal.BAD_PERMIT: BOX,
    Refusal.WRONG_HOLDER: BOX,
    Refusal.NOT_PERSONAL: UPDATE_BOX,
    Refusal.OTHER_UNIT: UPDATE_BOX,
    Refusal.NO_PERMIT: UPDATE_BOX,
}
"""Where what a station never says is said."""
_WITH_HINDRANCE = replace(OFFLINE, off_only=OffOnlyReason.MIRROR_TOO_OLD)
_REFUSED = {
    f"refused-{refusal.value.replace('_', '-')}": _own(
        Line.REFUSED,
        refusal=refusal,
        blocked_at=BLOCKED_AT if refusal is Refusal.BLOCKED else None,
        outside_help=OUTSIDE_HELP,
        status=_WITH_HINDRANCE if refusal is Refusal.STATION else _AT_BOXES.get(refusal, STATUS),
    )
    for refusal in Refusal
    if refusal is not Refusal.WRONG_PIN
}
LOOK_UPS = LookUps(
    {
        2026: {LookUpReason.CLIENT_ASKED: 12},
        2025: {LookUpReason.INCIDENT: 4, LookUpReason.CLIENT_ASKED: 31, LookUpReason.KEY_LOST: 9},
    }
)
_HELP = {
    f"help-{topic or 'topics'}".replace("_", "-"): Screen(
        Line.EMPTY,
        STATUS,
        outside_help=replace(OUTSIDE_HELP, others=OTHERS),
        idle_page=IdlePage(
            View.HELP,
            topic,
            privacy=PRIVACY if topic is HelpTopic.LOGGED else (),
            log_days=90 if topic is HelpTopic.LOGGED else None,
            look_ups=LOOK_UPS if topic is HelpTopic.LOGGED else None,
        ),
    )
    for topic in (None, *HelpTopic)
}
SAMPLES: Mapping[str, Screen] = {**_LINES, **_BOXES, **_REFUSED, **_HELP}
"""By the name of the picture."""

SHIFT = ("empty", "prompt", "typing", "ready", "out-ready", "prompt", "out-off")
"""One shift in pictures: its start (press, insert, PIN, take out) and its end (insert, take out)."""
