"""Who may do what: the one table. `central.office.access` enforces it, at every page, and there only.

A role counts within a membership: for one site, and for one unit of it or for all.
"""

from enum import Enum, auto

from central.models import Role


class Right(Enum):
    """What a role may see or do; each page names the one that it needs."""

    SEE_PEOPLE = auto()
    SEE_KEYS = auto()
    SEE_POOLS = auto()
    SEE_TASKS = auto()
    FINISH_TASK = auto()
    WHO_MAY_OPEN = auto()
    READ_LOG = auto()
    ADD_EMPLOYEE = auto()
    ADD_HOURLY = auto()
    GIVE_PIN = auto()
    HAND_OUT_KEY = auto()
    TAKE_BACK_KEY = auto()
    BLOCK_KEY = auto()
    UNLOCK_KEY = auto()
    LEND_EMERGENCY = auto()
    END_EMPLOYMENT = auto()
    SIGN_RECEIPT = auto()
    SEE_STATIONS = auto()
    STATION_OUT_OF_ORDER = auto()
    ENROL_STATION = auto()
    REVOKE_STATION = auto()
    IMPORT = auto()
    RENEW_PINS = auto()
    MANAGE_USERS = auto()


_LOOK = {Right.SEE_PEOPLE, Right.SEE_KEYS, Right.SEE_POOLS, Right.SEE_TASKS}
_DAILY = _LOOK | {
    Right.WHO_MAY_OPEN, Right.ADD_EMPLOYEE, Right.ADD_HOURLY, Right.GIVE_PIN, Right.HAND_OUT_KEY, Right.TAKE_BACK_KEY,
    Right.BLOCK_KEY, Right.UNLOCK_KEY, Right.LEND_EMERGENCY, Right.END_EMPLOYMENT, Right.FINISH_TASK,
}  # fmt: skip
_STATIONS = {Right.SEE_STATIONS, Right.STATION_OUT_OF_ORDER, Right.ENROL_STATION, Right.REVOKE_STATION}

TABLE: dict[Role, frozenset[Right]] = {
    Role.SITE_ADMINISTRATOR: frozenset(_DAILY | _STATIONS | {Right.IMPORT, Right.RENEW_PINS, Right.MANAGE_USERS}),
    Role.SECTION_MANAGER: frozenset(_LOOK | {Right.SIGN_RECEIPT, Right.WHO_MAY_OPEN}),
    Role.COORDINATOR: frozenset(_DAILY | {Right.SEE_STATIONS, Right.STATION_OUT_OF_ORDER}),
    Role.STAFFING: frozenset(
        {
            Right.SEE_PEOPLE,
            Right.SEE_KEYS,
            Right.SEE_POOLS,
            Right.ADD_HOURLY,
            Right.GIVE_PIN,
            Right.BLOCK_KEY,
            Right.END_EMPLOYMENT,
        }
    ),
    Role.PROVIDER: frozenset(_DAILY),
    Role.ON_CALL: frozenset(_LOOK | {Right.GIVE_PIN, Right.BLOCK_KEY, Right.LEND_EMERGENCY, Right.SEE_STATIONS}),
    Role.AUDITOR: frozenset({Right.WHO_MAY_OPEN, Right.READ_LOG}),
    Role.SYSTEM: frozenset(_STATIONS | {Right.IMPORT}),
}

SITE_RIGHTS = frozenset({Right.READ_LOG, Right.IMPORT, Right.MANAGE_USERS})
"""Are about the whole site: a membership for one unit does not give them."""

HOURLY_ROLES = frozenset({Role.STAFFING})
"""Reach hourly staff and substitute keys only."""
