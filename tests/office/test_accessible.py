"""WCAG 2.2 AA: what axe-core finds on any page, and what it does not look at: width, what is hit, names of buttons."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from secrets import token_urlsafe
from typing import Any

import pytest

from central.doors.table import DOORS, RIGHTS, Anybody, Right
from central.models import Role
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
OVER = date(2020, 1, 31)
WIDTHS = (770, 320)
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
for (const each of document.querySelectorAll("main table")) {
  if (!each.querySelector("th[scope]")) found.push("table without heads: " + each.outerHTML.slice(0, 150));
}
if (document.querySelector("a").getAttribute("href") !== "#main") found.push("no link to the content");
if (document.querySelector("[onclick], main [tabindex]")) found.push("made to be clicked by a script");
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
    from central.actions.tasks import open_refused_pin_task, open_station_told_task, open_went_back_task
    from central.models import Holder, Key, Station

    made = a_world("permanent")
    here = {"site__number": 1, "unit__number": QUIET_UNIT}
    key = Key.objects.select_related("site", "unit").get(site__number=1, number=made.key)
    open_refused_pin_task(Holder.objects.filter(**here).select_related("site", "unit")[0], key, "no_permit")
    open_station_told_task(Station.objects.select_related("site", "unit").get(number=7, **here), "record_refused")
    open_went_back_task(key, "blocked")
    return made


@pytest.fixture(scope="module")
def hourly_world(served: Served) -> World:
    """What a staffing administrator sees."""
    return a_world("hourly")


def a_world(category: str) -> World:
    """Of a unit in which no other test works: two people, two of their keys or of the pool, a receipt."""
    from central.actions.keys import block_key
    from central.actions.people import end_employment
    from central.actions.tasks import make_receipt
    from central.models import Holder, Key, Receipt

    is_hourly = category == "hourly"
    here = {"site__number": 1, "unit__number": QUIET_UNIT, "status": "active"}
    category_of = Holder.Category.HOURLY if is_hourly else Holder.Category.PERMANENT
    people = Holder.objects.filter(category=category_of, **here).select_related("site", "unit").order_by("number")
    key, blocked = Key.objects.filter(kind=int(is_hourly), **here).select_related("site", "unit", "holder")[:2]
    person, left = key.holder or people[0], people.reverse()[0]
    block_key(blocked, "Karin")
    receipt = make_receipt(Receipt.Kind.HANDED_OUT, person, key, "Karin")
    end_employment(left)
    return World(person.number, key.number, blocked.number, receipt.pk, left.number)


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
        "several": [f"{here}people/several/?act={act}&who={world.person}" for act in ("slips", "end")],
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
        "station_label": [f"{here}stations/7/label/"],
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


@pytest.mark.parametrize(
    ("path", "typed", "button", "wrong"),
    [
        ("users/", {"username": "namn"}, "#give", "id_unit"),
        (
            "people/employee/",
            {"given_name": "Ida", "family_name": "Id", "employment_ends": OVER},
            "",
            "id_employment_ends",
        ),
        ("people/{person}/edit/", {"employment_begins": OVER, "employment_ends": OVER}, "#save", "id_employment_ends"),
        ("people/{person}/access/", {"locks": "999999"}, "#save", "id_locks"),
        ("people/{person}/for-a-time/", {"until": OVER}, "#save", "id_until"),
        ("stations/7/", {"place": "nowhere"}, "#save-place", "id_place"),
    ],
)
def test_a_form_that_was_not_taken_says_so_in_its_title_and_has_the_focus(
    browser: Browser, world: World, path: str, typed: dict[str, str | date], button: str, wrong: str
) -> None:
    browser.go("/office/1/" + path.format(person=world.person))
    browser.script("for (const each of document.querySelectorAll('details')) each.open = true;")
    for name, value in typed.items():
        if isinstance(value, date):
            browser.date(f"#id_{name}", value)
        else:
            browser.type(f"#id_{name}", value)
    if path == "users/":
        browser.choose("#id_role", "coordinator")
    browser.click(button or "main form button")
    assert browser.script("return document.title").startswith("Error: ")
    assert browser.script("return document.activeElement.id") == wrong
    assert [browser.value(f"#id_{name}") for name in typed] == [str(value) for value in typed.values()]
    assert faults(browser) == []


@pytest.fixture
def as_somebody(browser: Browser, served: Served) -> Iterator[Any]:
    """``as_somebody(role, language)``: the browser is logged in as somebody new; afterwards as before."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from central.models import Membership, Site, Unit
    from central.models.users import UNIT_ROLES

    def sit(role: Role, language: str) -> None:
        site = Site.objects.get(number=1)
        user = get_user_model().objects.create(username=token_urlsafe(8))
        unit = Unit.objects.get(site=site, number=QUIET_UNIT) if role in UNIT_ROLES else None
        Membership.objects.create(user=user, role=role, site=site, unit=unit)
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
@pytest.mark.parametrize("language", ["sv", "da", "nb", "fi", "en"])
@pytest.mark.parametrize("role", list(Role))
def test_nothing_is_found_for_any_role_in_any_language(
    browser: Browser, world: World, hourly_world: World, as_somebody: Any, role: Role, language: str
) -> None:
    found: list[str] = []
    as_somebody(role, language)
    for name, paths in addresses(hourly_world if role == Role.STAFFING else world).items():
        who = DOORS[f"office:{name}"].who
        if isinstance(who, Anybody) or (isinstance(who, Right) and role in RIGHTS[who]):
            for path in paths:
                if "act=end" not in path or role in RIGHTS[Right.END_EMPLOYMENT]:
                    found += faults(browser, path)
                    if (shown := browser.script("return document.documentElement.lang")) != language:
                        found.append(f"{browser.path} is in {shown}: {browser.text()[:200]}")
    assert not found, "\n".join(found)
