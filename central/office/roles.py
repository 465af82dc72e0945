"""Who may do what: the one table. `central.office.desk` enforces it, at every page, and there only.

A role counts within a membership: for one site, and for one unit of it or for all. ``UNIT_ROLES`` are never for all.
"""

from enum import Enum, auto

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """As the office calls them."""

    SITE_ADMINISTRATOR = "site_administrator", _("Site administrator")
    SECTION_MANAGER = "section_manager", _("Section manager")
    COORDINATOR = "coordinator", _("Coordinator")
    STAFFING = "staffing_administrator", _("Staffing administrator")
    PROVIDER = "provider_key_manager", _("Private provider's key manager")
    ON_CALL = "on_call_manager", _("On-call manager")
    AUDITOR = "auditor", _("Auditor")
    SYSTEM = "system_administrator", _("System administrator")


class Act(Enum):
    """What a page shows or does."""

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


_LOOK = {Act.SEE_PEOPLE, Act.SEE_KEYS, Act.SEE_POOLS, Act.SEE_TASKS}
_DAILY = _LOOK | {
    Act.WHO_MAY_OPEN, Act.ADD_EMPLOYEE, Act.ADD_HOURLY, Act.GIVE_PIN, Act.HAND_OUT_KEY, Act.TAKE_BACK_KEY,
    Act.BLOCK_KEY, Act.UNLOCK_KEY, Act.LEND_EMERGENCY, Act.END_EMPLOYMENT, Act.FINISH_TASK,
}  # fmt: skip
_STATIONS = {Act.SEE_STATIONS, Act.STATION_OUT_OF_ORDER, Act.ENROL_STATION, Act.REVOKE_STATION}

TABLE: dict[Role, frozenset[Act]] = {
    Role.SITE_ADMINISTRATOR: frozenset(_DAILY | _STATIONS | {Act.IMPORT, Act.RENEW_PINS, Act.MANAGE_USERS}),
    Role.SECTION_MANAGER: frozenset(_LOOK | {Act.SIGN_RECEIPT, Act.WHO_MAY_OPEN}),
    Role.COORDINATOR: frozenset(_DAILY | {Act.SEE_STATIONS, Act.STATION_OUT_OF_ORDER}),
    Role.STAFFING: frozenset(
        {Act.SEE_PEOPLE, Act.SEE_KEYS, Act.SEE_POOLS, Act.ADD_HOURLY, Act.GIVE_PIN, Act.BLOCK_KEY, Act.END_EMPLOYMENT}
    ),
    Role.PROVIDER: frozenset(_DAILY),
    Role.ON_CALL: frozenset(_LOOK | {Act.GIVE_PIN, Act.BLOCK_KEY, Act.LEND_EMERGENCY, Act.SEE_STATIONS}),
    Role.AUDITOR: frozenset({Act.WHO_MAY_OPEN, Act.READ_LOG}),
    Role.SYSTEM: frozenset(_STATIONS | {Act.IMPORT}),
}

UNIT_ROLES = frozenset({Role.SECTION_MANAGER, Role.COORDINATOR, Role.PROVIDER})
"""Need a unit: without one they may do nothing."""

SITE_ACTS = frozenset({Act.READ_LOG, Act.IMPORT, Act.MANAGE_USERS})
"""Are about the whole site: a membership for one unit does not give them."""

HOURLY_ROLES = frozenset({Role.STAFFING})
"""Reach hourly staff and substitute keys only."""
