"""Every address below a site, whoever may come there, and what each of them is answered: the access matrix.

An answer is one word: ``L`` log in first, ``403`` or ``404`` or ``405``, or ``Y`` and a letter for each thing of the
two units that the page names: ``p`` permanent employee, ``h`` hourly one, ``k`` personal, ``s`` substitute, ``e``
emergency key, ``t`` station, ``d`` a task to finish, ``r`` a receipt to sign; small for unit one, capital for two.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.urls import URLPattern, URLResolver, get_resolver

from central.actions.tasks import make_receipt, open_new_key_task, open_went_back_task
from central.models import Membership, Receipt, Role
from central.office.urls import urlpatterns
from tests.office.asking import OfficeClient

READS = re.compile(r"SELECT|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|PRAGMA", re.IGNORECASE)
BOOKS = re.compile(r"central_trycount|central_sentform|django_session")
"""What is written about whoever comes, whatever they are answered."""


@dataclass(frozen=True)
class Row:
    """One address of one thing: a path to ask."""

    name: str
    place: str
    path: str


@dataclass
class World:
    """Two units of a site, another site, and things to act on in each."""

    there: SimpleNamespace
    elsewhere: SimpleNamespace

    def __post_init__(self) -> None:
        for site in (self.there, self.elsewhere):
            for part in (site.one, site.two):
                part.task = open_new_key_task(part.own)
                part.went_back = open_went_back_task(part.keys[1], "blocked")
                part.receipt = make_receipt(Receipt.Kind.HANDED_OUT, part.own, key=part.keys[0])
                user = get_user_model().objects.create(username=f"member-{site.number}-{part.unit.number}")
                part.member = Membership.objects.create(user=user, role="coordinator", site=site.site, unit=part.unit)

    def marks(self) -> list[tuple[str, str]]:
        """Letter, and what is on a page that names the thing."""
        found = []
        for part, change in ((self.there.one, str.lower), (self.there.two, str.upper)):
            number = part.unit.number
            things = [("p", f"Exempel {number}"), ("h", f"Test {number}")]
            things += [(kind, f"/keys/{key.number}/") for kind, key in zip("kse", part.keys, strict=True)]
            things += [("t", f"/stations/{part.station.number}/"), ("d", f"/tasks/{part.task.pk}/done/")]
            things += [("r", f"/receipts/{part.receipt.pk}/sign/")]
            found += [(change(letter), text) for letter, text in things]
        return found


def pages() -> list[Any]:
    """The addresses below a site."""
    return [pattern for pattern in urlpatterns if "<int:site>" in str(pattern.pattern) and pattern.name != "home"]


def names(resolver: Any = None, space: str = "") -> Iterator[str]:
    """The names of all addresses of the server."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern, space + (f"{pattern.namespace}:" if pattern.namespace else ""))
        elif isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}"


def rows(world: World) -> list[Row]:
    """Every address: of a thing of either unit and of another site; else of either site."""
    found = []
    for pattern in pages():
        route = str(pattern.pattern)
        for place, site, part, permanent in (
            ("one", world.there, world.there.one, False),
            ("one-permanent", world.there, world.there.one, True),
            ("two", world.there, world.there.two, False),
            ("elsewhere", world.elsewhere, world.elsewhere.one, False),
        ):
            number = thing(route, part, permanent=permanent)
            if permanent and not re.search("people/<|keys/<", route):
                continue
            if "<" in route.replace("<int:site>", "") or place in ("one", "elsewhere"):
                path = route.replace("<int:site>", str(site.number)).replace("<int:number>", str(number))
                found.append(Row(pattern.name, place, "/office/" + path.replace("<int:pk>", str(number))))
    return found


def thing(route: str, part: SimpleNamespace, *, permanent: bool = False) -> int:
    """The number of the thing of that unit which the route is about."""
    if "keys/" in route:
        return int(part.keys[0 if permanent else 1].number)
    if "stations/" in route:
        return int(part.station.number)
    if "tasks/" in route:
        return int(part.task.pk if "done/" in route else part.went_back.pk)
    if "receipts/" in route:
        return int(part.receipt.pk)
    if "/units/<" in route:
        return int(part.unit.number)
    if "users/" in route:
        return int(part.member.pk if "roles/" in route else part.member.user_id)
    return int((part.own if permanent else part.hourly).number)


def visitors(world: World) -> dict[str, OfficeClient]:
    """A stranger, somebody without a role, the operator; somebody with each role, for the site and for unit one."""
    found = {
        "stranger": OfficeClient(headers={"host": "localhost", "accept-language": "en"}, raise_request_exception=False)
    }
    site, unit = world.there.site, world.there.one.unit
    wanted: list[tuple[str, Any, Any]] = [("no-role", None, None), ("operator", None, None)]
    wanted += [(f"{role}@{where}", role, at) for role in Role for where, at in (("site", None), ("one", unit))]
    for name, role, where in wanted:
        user = get_user_model().objects.create(username=f"{name}-{site.number}", is_superuser=name == "operator")
        if role is not None:
            Membership.objects.create(user=user, role=role, site=site, unit=where)
        client = OfficeClient(headers={"host": "localhost", "accept-language": "en"}, raise_request_exception=False)
        client.force_login(user)
        found[name] = client
    return found


def answer(client: OfficeClient, method: str, row: Row, marks: list[tuple[str, str]]) -> str:
    """What the visitor is answered. Nothing of it stays; what is refused has not been written for a moment."""
    written: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not READS.match(sql) and not BOOKS.search(sql):
            written.append(sql)
        return execute(sql, params, many, context)

    with transaction.atomic(), connection.execute_wrapper(note):
        got: Any = client.get(row.path) if method == "GET" else client.post(row.path)
        transaction.set_rollback(True)
    # What it would say on the next page is no part of that page's answer.
    client.cookies.pop("messages", None)
    assert got.status_code < 500, (method, row, got)
    if got.status_code in {200, 302, 422} and not got.get("Location", "").startswith("/office/login/"):
        text = got.content.decode() if method == "GET" else ""
        return "Y" + "".join(letter for letter, sign in marks if sign in text)
    assert not written, (method, row, written)
    return "L" if got.status_code == 302 else str(got.status_code)
