"""WCAG 2.2 AA: what axe-core finds on any page, and what it does not look at: width, what is hit, names of buttons."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from secrets import token_urlsafe
from typing import Any

import pytest

from central.doors.table import DOORS, Anybody, Right
from tests.central.served import Served
from tests.office.browser import Browser, programs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(None in programs(), reason="needs Debian's chromium and chromium-driver"),
]
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINDINGS = """
const done = arguments[arguments.length - 1];
axe.run(document, { runOnly: arguments[0], resultTypes: ["violations", "incomplete"] }).then((found) =>
  done([...found.violations, ...found.incomplete].map((rule) =>
    rule.id + ": " + rule.nodes.map((node) => node.html).join(" | ").slice(0, 600))));
"""
QUIET_UNIT = 4
WIDTHS = (640, 320)
"""Just before lists become cards, and what 400 % on a large screen leaves."""
BY_HAND = """
const found = [], width = arguments[1], isOut = (each) => each.getBoundingClientRect().right > width + 1;
if (document.documentElement.scrollWidth > width) {
  const wide = [...document.querySelectorAll("main *")].filter(isOut);
  found.push("wider than " + width + ": " + wide.slice(-2).map((each) => each.outerHTML.slice(0, 150)));
}
for (const each of document.querySelectorAll("button, .button, input:not([type=hidden]), select, textarea, summary")) {
  const box = each.getBoundingClientRect();
  if (box.width && (box.width < 24 || box.height < 24)) found.push("small: " + each.outerHTML.slice(0, 150));
}
const names = new Map();
for (const each of document.querySelectorAll("main button")) {
  const name = (each.getAttribute("aria-label") || each.textContent).trim();
  const about = document.getElementById(each.getAttribute("aria-describedby"));
  const whole = name + " " + (about ? about.textContent : "");
  if (each.getBoundingClientRect().width && names.has(whole)) found.push("named twice: " + whole);
  names.set(whole, true);
}
if (document.querySelectorAll("h1").length !== 1) found.push("not one h1");
if (arguments[0] && !document.querySelector("nav.pages [aria-current=page]")) found.push("no current page");
return found;
"""


@dataclass(frozen=True)
class World:
    """Numbers of things of the sample site that pages are about."""

    person: int
    key: int
    blocked: int
    receipt: int
    left: int


@pytest.fixture(scope="module")
def world(served: Served) -> World:
    from central.actions.keys import block_key
    from central.actions.people import end_employment
    from central.actions.tasks import make_receipt, open_refused_pin_task, open_station_told_task, open_went_back_task
    from central.models import Holder, Key, Receipt, Site, Station

    site = Site.objects.get(number=1)
    # Not of the units that other tests work in.
    own = Key.objects.filter(site=site, kind=0, status="active", unit__number=QUIET_UNIT).select_related(
        "site", "unit", "holder"
    )
    key, blocked = own[:2]
    block_key(blocked, "Karin")
    assert key.holder is not None
    receipt = make_receipt(Receipt.Kind.HANDED_OUT, key.holder, key, "Karin")
    station = Station.objects.select_related("site", "unit").get(site=site, unit__number=QUIET_UNIT, number=7)
    open_refused_pin_task(
        Holder.objects.filter(site=site, unit__number=QUIET_UNIT).select_related("site", "unit")[0], key, "no_permit"
    )
    open_station_told_task(station, "record_refused")
    open_went_back_task(key, "blocked")
    left = Holder.objects.filter(site=site, unit__number=QUIET_UNIT, status="active").order_by("-number")[0]
    end_employment(left)
    return World(key.holder.number, key.number, blocked.number, receipt.pk, left.number)


def addresses(world: World) -> dict[str, list[str]]:
    """Every page that is looked at, by the name of its address."""
    here = "/office/1/"
    return {
        "start": ["/office/"],
        "login": ["/office/login/"],
        "accessibility": ["/office/accessibility/"],
        "password": ["/office/password/"],
        "home": [],
        "today": [f"{here}today/"],
        "receipt": [f"{here}receipts/{world.receipt}/"],
        "pools": [f"{here}pools/", f"{here}pools/?status=not_back"],
        "renewals": [f"{here}renewals/"],
        "search": [f"{here}search/?q=a", f"{here}search/?q=zzz"],
        "stay": [],
        "people": [f"{here}people/"],
        "several": [f"{here}people/several/?act=end&who={world.person}"],
        "employee": [f"{here}people/employee/"],
        "hourly": [f"{here}people/hourly/"],
        "person": [f"{here}people/{world.person}/", f"{here}people/{world.person}/?on=2026-01-01"],
        "edit_person": [f"{here}people/{world.person}/edit/"],
        "move_person": [f"{here}people/{world.person}/move/"],
        "employ_again": [f"{here}people/{world.left}/again/"],
        "access": [f"{here}people/{world.person}/access/"],
        "for_a_time": [f"{here}people/{world.person}/for-a-time/"],
        "units": [f"{here}units/"],
        "unit": [f"{here}units/{QUIET_UNIT}/"],
        "keys": [f"{here}keys/"],
        "key": [f"{here}keys/{world.key}/", f"{here}keys/{world.blocked}/"],
        "trail": [f"{here}keys/{world.blocked}/trail/"],
        "lock": [f"{here}locks/", f"{here}locks/?lock=101"],
        "log": [f"{here}log/"],
        "log_csv": [],
        "why": [f"{here}why/"],
        "stations": [f"{here}stations/"],
        "new_station": [f"{here}stations/new/"],
        "station": [f"{here}stations/7/"],
        "pins": [f"{here}pins/"],
        "users": [f"{here}users/"],
        "texts": [f"{here}texts/?language=sv"],
        "import": [f"{here}import/"],
    }


def pages() -> set[str]:
    """The names of the addresses of the office that can be looked at."""
    return {
        name.removeprefix("office:")
        for name, door in DOORS.items()
        if name.startswith("office:") and "GET" in door.methods
    }


def faults(browser: Browser, path: str | None = None) -> list[str]:
    """What is wrong with a page; with the one that it shows where none is named."""
    if path is not None:
        browser.width(None)
        browser.go(path)
    browser.script(AXE)
    found = browser.script_until_called(FINDINGS, TAGS)
    for width in WIDTHS:
        browser.width(width)
        # The search is on every page, and its answer in no menu.
        has_menu = "/office/1/" in browser.path and "/search/" not in browser.path
        found += browser.script(BY_HAND, has_menu, width)
    browser.width(None)
    return [f"{browser.path} {each}" for each in found]


def test_every_page_is_looked_at(world: World) -> None:
    assert set(addresses(world)) == pages()


def test_nothing_is_found_on_any_page(browser: Browser, world: World) -> None:
    found = [fault for paths in addresses(world).values() for path in paths for fault in faults(browser, path)]
    assert found == []


def test_a_form_that_was_not_taken_says_so_in_its_title_and_has_the_focus(browser: Browser) -> None:
    browser.go("/office/1/users/")
    browser.type("#id_username", "namn")
    browser.choose("#id_role", "coordinator")
    browser.click("#give")
    assert browser.script("return document.title").startswith("Error: ")
    assert browser.script("return document.activeElement.id") == "id_unit"
    assert faults(browser) == []


@pytest.fixture
def as_somebody(browser: Browser, served: Served) -> Iterator[Any]:
    """``as_somebody(role, language)``: the browser is logged in as somebody new; afterwards as before."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from central.models import Membership, Site, Unit

    def sit(role: str, language: str) -> None:
        site = Site.objects.get(number=1)
        user = get_user_model().objects.create(username=token_urlsafe(8))
        Membership.objects.create(user=user, role=role, site=site, unit=Unit.objects.get(site=site, number=QUIET_UNIT))
        client = Client()
        client.force_login(user)
        browser.go("/office/accessibility/")
        browser.cookies_cleared()
        browser.set_cookie(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
        browser.go("/office/accessibility/")
        browser.click(f'button[name=language][value="{language}"]')

    yield sit
    browser.go("/office/accessibility/")
    browser.cookies_cleared()
    browser.log_in()


@pytest.mark.nightly
@pytest.mark.parametrize("language", ["sv", "da", "en"])
def test_nothing_is_found_for_any_role_in_any_language(
    browser: Browser, world: World, as_somebody: Any, language: str
) -> None:
    from central.doors.table import RIGHTS
    from central.models import Role
    from central.models.users import UNIT_ROLES

    found: list[str] = []
    for role in Role:
        as_somebody(role.value, language)
        for name, paths in addresses(world).items():
            who = DOORS[f"office:{name}"].who
            scope = RIGHTS[who].get(role) if isinstance(who, Right) else None
            if isinstance(who, Anybody) or (scope is not None and (scope.name != "SITE" or role in UNIT_ROLES)):
                for path in paths:
                    found += [f"{role} {fault}" for fault in faults(browser, path)]
                    assert browser.script("return document.documentElement.lang") == language
    assert found == []
