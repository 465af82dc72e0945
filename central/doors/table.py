"""Who may do what, where: the one table, for every address of the server (office, admin page, API).

`DOORS` says for each address how it may be asked, and who may: whoever has a right (office), the operator (admin page),
a station of some kind (API), everybody. `RIGHTS` says which roles have each right, and how far it reaches. A role
counts within a membership, for one site, and for one unit of it or for all.

An address that has no line here is shut to everybody (`central.doors.keeper`), and the office's do not even start.
tests/office/access_matrix.txt holds what the running server answers: after a change here, look at what changes there.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from central.models import Role, Station


class Scope(Enum):
    """How far a right reaches that a membership gives."""

    UNIT = auto()
    """The membership's unit; every unit of the site for a membership without one."""
    HOURLY = auto()
    """As UNIT, but hourly staff and substitute keys only."""
    SITE = auto()
    """The site as a whole: a membership for one unit does not give it."""


class Right(Enum):
    """What a role may see or do."""

    SEARCH = auto()
    SEE_PEOPLE = auto()
    SEE_KEYS = auto()
    SEE_POOLS = auto()
    SEE_TASKS = auto()
    FINISH_TASK = auto()
    UNDO = auto()
    WHO_MAY_OPEN = auto()
    ASK_WHY = auto()
    READ_LOG = auto()
    ADD_EMPLOYEE = auto()
    ADD_HOURLY = auto()
    EDIT_PERSON = auto()
    CHANGE_ACCESS = auto()
    EDIT_UNIT = auto()
    GIVE_PIN = auto()
    HAND_OUT_KEY = auto()
    TAKE_BACK_KEY = auto()
    BLOCK_KEY = auto()
    UNLOCK_KEY = auto()
    UNBLOCK_KEY = auto()
    LEND_KEY = auto()
    TAKE_BACK_LENT = auto()
    NOTE_BATTERY = auto()
    END_EMPLOYMENT = auto()
    SIGN_RECEIPT = auto()
    SEE_STATIONS = auto()
    STATION_OUT_OF_ORDER = auto()
    ENROL_STATION = auto()
    REVOKE_STATION = auto()
    IMPORT = auto()
    RENEW_PINS = auto()
    BEGIN_PIN_RENEWAL = auto()
    MANAGE_USERS = auto()
    SET_EMERGENCY_WANTED = auto()
    PLACE_STATION = auto()
    EDIT_TEXTS = auto()


_ADMIN, _MANAGER, _COORDINATOR = Role.SITE_ADMINISTRATOR, Role.SECTION_MANAGER, Role.COORDINATOR
_STAFFING, _PROVIDER, _ON_CALL, _AUDITOR, _TECHNICIAN, _SYSTEM = (
    Role.STAFFING, Role.PROVIDER, Role.ON_CALL, Role.AUDITOR, Role.TECHNICIAN, Role.SYSTEM,
)  # fmt: skip
_UNIT, _HOURLY, _SITE = Scope.UNIT, Scope.HOURLY, Scope.SITE
_DAILY = {_ADMIN: _UNIT, _COORDINATOR: _UNIT, _PROVIDER: _UNIT}

RIGHTS: dict[Right, dict[Role, Scope]] = {
    # Finds what they may see.
    Right.SEARCH: dict.fromkeys(Role, _UNIT),
    Right.SEE_PEOPLE: _DAILY | {_MANAGER: _UNIT, _ON_CALL: _UNIT, _STAFFING: _HOURLY, _TECHNICIAN: _UNIT},
    Right.SEE_KEYS: _DAILY | {_MANAGER: _UNIT, _ON_CALL: _UNIT, _STAFFING: _HOURLY, _TECHNICIAN: _UNIT},
    Right.SEE_POOLS: _DAILY | {_MANAGER: _UNIT, _ON_CALL: _UNIT, _STAFFING: _HOURLY},
    Right.SEE_TASKS: _DAILY | {_MANAGER: _UNIT, _ON_CALL: _UNIT},
    Right.FINISH_TASK: _DAILY,
    # What they did themselves, just now.
    Right.UNDO: dict.fromkeys(Role, _UNIT),
    # The on-call manager's at night; the unit sees it the next morning (`central.office.last_night`).
    Right.WHO_MAY_OPEN: _DAILY | {_MANAGER: _UNIT, _ON_CALL: _UNIT, _AUDITOR: _UNIT, _TECHNICIAN: _UNIT},
    Right.ASK_WHY: _DAILY | {_ON_CALL: _UNIT, _SYSTEM: _UNIT, _TECHNICIAN: _UNIT},
    # The whole site's log, for those who keep nothing else: whoever hands out keys does not follow people.
    Right.READ_LOG: {_AUDITOR: _SITE},
    Right.ADD_EMPLOYEE: _DAILY,
    Right.ADD_HOURLY: _DAILY | {_STAFFING: _HOURLY},
    Right.EDIT_PERSON: _DAILY | {_STAFFING: _HOURLY},
    Right.CHANGE_ACCESS: _DAILY | {_STAFFING: _HOURLY},
    # What whoever is new in a unit gets.
    Right.EDIT_UNIT: _DAILY,
    Right.GIVE_PIN: _DAILY | {_ON_CALL: _UNIT, _STAFFING: _HOURLY},
    Right.HAND_OUT_KEY: _DAILY,
    # Whoever leaves hands in the key to the section manager.
    Right.TAKE_BACK_KEY: _DAILY | {_MANAGER: _UNIT},
    Right.BLOCK_KEY: _DAILY | {_ON_CALL: _UNIT, _STAFFING: _HOURLY},
    Right.UNLOCK_KEY: _DAILY | {_ON_CALL: _UNIT},
    # It opens again what somebody has shut: not by night.
    Right.UNBLOCK_KEY: _DAILY | {_STAFFING: _HOURLY},
    Right.LEND_KEY: _DAILY | {_ON_CALL: _UNIT, _STAFFING: _HOURLY},
    Right.TAKE_BACK_LENT: _DAILY | {_MANAGER: _UNIT, _ON_CALL: _UNIT, _STAFFING: _HOURLY},
    Right.NOTE_BATTERY: _DAILY | {_TECHNICIAN: _UNIT},
    Right.END_EMPLOYMENT: _DAILY | {_MANAGER: _UNIT, _STAFFING: _HOURLY},
    Right.SIGN_RECEIPT: {_MANAGER: _UNIT},
    Right.SEE_STATIONS: {_ADMIN: _UNIT, _COORDINATOR: _UNIT, _ON_CALL: _UNIT, _TECHNICIAN: _UNIT, _SYSTEM: _UNIT},
    Right.STATION_OUT_OF_ORDER: {_ADMIN: _UNIT, _COORDINATOR: _UNIT, _SYSTEM: _UNIT},
    # A station gets every holder of the site and the pepper, whichever unit it stands in.
    Right.ENROL_STATION: {_ADMIN: _SITE, _SYSTEM: _SITE},
    # Ends in new PINs for everybody.
    Right.REVOKE_STATION: {_ADMIN: _SITE, _SYSTEM: _SITE},
    Right.IMPORT: {_ADMIN: _SITE, _SYSTEM: _SITE},
    Right.RENEW_PINS: {_ADMIN: _UNIT},
    Right.BEGIN_PIN_RENEWAL: {_ADMIN: _SITE},
    Right.MANAGE_USERS: {_ADMIN: _SITE},
    Right.SET_EMERGENCY_WANTED: {_ADMIN: _UNIT, _COORDINATOR: _UNIT, _PROVIDER: _UNIT},
    Right.PLACE_STATION: {_ADMIN: _UNIT, _SYSTEM: _UNIT},
    # On every screen of the site.
    Right.EDIT_TEXTS: {_ADMIN: _SITE},
}

ROLES_BY_OPERATOR = frozenset({Role.AUDITOR})
"""Neither given nor touched by a site administrator, who would read the log through one of their own making."""


class Anybody(Enum):
    """Who may come without a right at a site."""

    STRANGER = auto()
    """Everybody, known or not."""
    USER = auto()
    """Who has logged in; what they get to see is of the sites where they have a role."""
    OPERATOR = auto()
    """A superuser: the host's scope, every site."""


@dataclass(frozen=True)
class StationKinds:
    """Stations of these kinds, by their token, and cut to their site."""

    kinds: frozenset[int]


Who: TypeAlias = Right | Anybody | StationKinds
_STRANGER, _USER, _OPERATOR = Anybody.STRANGER, Anybody.USER, Anybody.OPERATOR
_EVERY_STATION = StationKinds(frozenset(Station.Role.values))
_NO_BOX = StationKinds(frozenset(Station.Role.values) - {Station.Role.ACTIVATION_BOX})


@dataclass(frozen=True)
class Door:
    """One address: the methods by which it may be asked (GET is also HEAD), and who may."""

    methods: frozenset[str]
    who: Who


GET, POST, BOTH = frozenset({"GET"}), frozenset({"POST"}), frozenset({"GET", "POST"})

DOORS: dict[str, Door] = {
    "front": Door(GET, _STRANGER),
    "healthz": Door(GET, _STRANGER),
    # The office.
    "office:login": Door(BOTH, _STRANGER),
    "office:logout": Door(POST, _STRANGER),
    "office:language": Door(POST, _STRANGER),
    "office:accessibility": Door(GET, _STRANGER),
    "office:start": Door(GET, _USER),
    "office:password": Door(BOTH, _USER),
    "office:stay": Door(GET, _USER),
    "office:home": Door(GET, _USER),
    "office:search": Door(GET, Right.SEARCH),
    "office:today": Door(GET, Right.SEE_TASKS),
    "office:task_done": Door(POST, Right.FINISH_TASK),
    # Over what it is about they need a right of its own, too: `central.office.views.today`.
    "office:task_confirm": Door(POST, Right.FINISH_TASK),
    "office:task_anew": Door(POST, Right.FINISH_TASK),
    "office:undo": Door(POST, Right.UNDO),
    "office:receipt": Door(GET, Right.SEE_PEOPLE),
    "office:sign": Door(POST, Right.SIGN_RECEIPT),
    "office:pools": Door(GET, Right.SEE_POOLS),
    "office:renewals": Door(GET, Right.SEE_KEYS),
    "office:pools_wanted": Door(POST, Right.SET_EMERGENCY_WANTED),
    "office:people": Door(GET, Right.SEE_PEOPLE),
    # Each act needs a right of its own over each of the people: `central.office.views.several`.
    "office:several": Door(BOTH, Right.SEE_PEOPLE),
    "office:employee": Door(BOTH, Right.ADD_EMPLOYEE),
    "office:hourly": Door(BOTH, Right.ADD_HOURLY),
    "office:person": Door(GET, Right.SEE_PEOPLE),
    "office:pin": Door(POST, Right.GIVE_PIN),
    "office:person_units": Door(POST, Right.ADD_HOURLY),
    "office:edit_person": Door(BOTH, Right.EDIT_PERSON),
    "office:move_person": Door(BOTH, Right.EDIT_PERSON),
    "office:employ_again": Door(BOTH, Right.EDIT_PERSON),
    "office:access": Door(BOTH, Right.CHANGE_ACCESS),
    "office:for_a_time": Door(BOTH, Right.CHANGE_ACCESS),
    "office:for_a_time_end": Door(POST, Right.CHANGE_ACCESS),
    "office:take_areas": Door(POST, Right.CHANGE_ACCESS),
    "office:units": Door(GET, Right.EDIT_UNIT),
    "office:unit": Door(BOTH, Right.EDIT_UNIT),
    "office:new_key": Door(POST, Right.HAND_OUT_KEY),
    "office:end": Door(POST, Right.END_EMPLOYMENT),
    "office:keys": Door(GET, Right.SEE_KEYS),
    "office:key": Door(GET, Right.SEE_KEYS),
    "office:trail": Door(GET, Right.SEE_KEYS),
    "office:block": Door(POST, Right.BLOCK_KEY),
    "office:unlock": Door(POST, Right.UNLOCK_KEY),
    "office:take_back": Door(POST, Right.TAKE_BACK_KEY),
    "office:key_code": Door(POST, Right.HAND_OUT_KEY),
    "office:hand_out": Door(POST, Right.HAND_OUT_KEY),
    "office:found": Door(POST, Right.UNBLOCK_KEY),
    "office:broken": Door(POST, Right.LEND_KEY),
    "office:mended": Door(POST, Right.HAND_OUT_KEY),
    "office:battery": Door(POST, Right.NOTE_BATTERY),
    "office:lend": Door(POST, Right.LEND_KEY),
    "office:lent_back": Door(POST, Right.TAKE_BACK_LENT),
    "office:lock": Door(GET, Right.WHO_MAY_OPEN),
    "office:log": Door(BOTH, Right.READ_LOG),
    "office:log_csv": Door(GET, Right.READ_LOG),
    "office:why": Door(GET, Right.ASK_WHY),
    "office:stations": Door(GET, Right.SEE_STATIONS),
    "office:new_station": Door(BOTH, Right.ENROL_STATION),
    "office:station": Door(GET, Right.SEE_STATIONS),
    "office:station_label": Door(GET, Right.SEE_STATIONS),
    "office:station_code": Door(POST, Right.ENROL_STATION),
    "office:out_of_order": Door(POST, Right.STATION_OUT_OF_ORDER),
    "office:in_order": Door(POST, Right.STATION_OUT_OF_ORDER),
    "office:revoke": Door(POST, Right.REVOKE_STATION),
    "office:station_place": Door(POST, Right.PLACE_STATION),
    "office:pins": Door(GET, Right.RENEW_PINS),
    "office:pins_begin": Door(POST, Right.BEGIN_PIN_RENEWAL),
    "office:pins_renew": Door(POST, Right.RENEW_PINS),
    "office:pins_pause": Door(POST, Right.BEGIN_PIN_RENEWAL),
    "office:pins_cancel": Door(POST, Right.BEGIN_PIN_RENEWAL),
    "office:texts": Door(BOTH, Right.EDIT_TEXTS),
    "office:users": Door(BOTH, Right.MANAGE_USERS),
    "office:take_role": Door(POST, Right.MANAGE_USERS),
    "office:user_password": Door(POST, Right.MANAGE_USERS),
    "office:user_shut": Door(POST, Right.MANAGE_USERS),
    "office:import": Door(BOTH, Right.IMPORT),
    # The admin page, and the two of its addresses whose place the office's pages take.
    "admin_login": Door(GET, _STRANGER),
    "admin_password_change": Door(GET, _USER),
    "admin:*": Door(BOTH, _OPERATOR),
    # The API: what a token opens is its station's, and its site's.
    "stations:healthz": Door(GET, _STRANGER),
    "stations:openapi-json": Door(GET, _STRANGER),
    "stations:api-root": Door(GET, _STRANGER),
    "stations:enrol": Door(POST, _STRANGER),
    # Whose clock is lost believes no certificate, and shows no token.
    "stations:time": Door(POST, _STRANGER),
    "stations:pin": Door(GET, _EVERY_STATION),
    "stations:certificate": Door(POST, _EVERY_STATION),
    "stations:snapshot": Door(GET, _EVERY_STATION),
    "stations:changes": Door(GET, _EVERY_STATION),
    "stations:events": Door(POST, _EVERY_STATION),
    "stations:provision": Door(POST, _NO_BOX),
}


def door_of(name: str) -> Door | None:
    """The line of the address with this name (``namespace:name``); None where there is none."""
    return DOORS.get(name) or DOORS.get(f"{name.partition(':')[0]}:*")
