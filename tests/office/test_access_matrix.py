"""Every address × method × role × unit × site: what the running code answers is what access_matrix.txt holds.

After a wanted change of `central.doors.table` (or a new address): ``ACCESS_MATRIX=write pytest
tests/office/test_access_matrix.py -k all``. Look at each changed line of the file in the diff: it is who may do what.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from django.urls import get_resolver

from central.actions.codes import token_fingerprint
from central.clock import unix_now
from central.doors.table import DOORS, GET, POST, RIGHTS, Anybody, Door, Right, Scope, StationKinds, door_of
from central.feed import change_and_sign
from central.models import Membership, Role, StationToken
from central.models.users import UNIT_ROLES
from central.office.pages import of_site
from central.signing.records import sign_certificate
from station.records.keys import SigningKey
from tests.central.served import Served
from tests.central.site import make_site
from tests.office.asking import OfficeClient
from tests.office.visitors import Row, World, answer, names, pages, rows, visitors

pytestmark = pytest.mark.slow
KEPT = Path(__file__).with_name("access_matrix.txt")
LINE = "{method:<5}{name:<16}{place:<15}{cells}"

Matrix = dict[tuple[str, str, str], dict[str, str]]


@pytest.fixture(scope="module", autouse=True)
def _quick_hashes() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="module")
def world(served: Served) -> World:
    return World(make_site(2, pools=True), make_site(2, pools=True))


@pytest.fixture(scope="module")
def who(world: World) -> dict[str, OfficeClient]:
    return visitors(world)


def read(text: str) -> Matrix:
    header, *rest = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {(m, name, place): dict(zip(header[3:], cells, strict=True)) for m, name, place, *cells in rest}


def written(matrix: Matrix, visitors_: list[str]) -> str:
    width = max(map(len, visitors_)) + 1
    said, count = (__doc__ or "").splitlines()[0], len(matrix) * len(visitors_)
    head = f"# {said} {count} answers. The letters: tests/office/visitors.py"
    cells = [(("how", "address", "of"), visitors_), *((place, list(row.values())) for place, row in matrix.items())]
    lines = [
        LINE.format(method=method, name=name, place=place, cells="".join(f"{cell:<{width}}" for cell in row)).rstrip()
        for (method, name, place), row in cells
    ]
    return "\n".join([head, *lines]) + "\n"


@pytest.fixture(scope="module")
def kept() -> Matrix:
    return read(KEPT.read_text())


@pytest.mark.parametrize(
    "share",
    [pytest.param(3, id="a third of them at each address"), pytest.param(1, id="all", marks=pytest.mark.nightly)],
)
def test_everybody_gets_where_the_matrix_says_and_nowhere_else(
    world: World, who: dict[str, OfficeClient], share: int
) -> None:
    """By day others at each address, so that all come to a third of them; the nightly run, or writing, asks all."""
    marks, names_ = world.marks(), list(who)
    told: Matrix = {}
    every = [(method, row) for row in rows(world) for method in sorted(DOORS[f"office:{row.name}"].methods)]
    for number, (method, row) in enumerate(every):
        asked = names_[number % share :: share]
        told[method, row.name, row.place] = {name: answer(who[name], method, row, marks) for name in asked}
    if os.environ.get("ACCESS_MATRIX") == "write" and share == 1:
        KEPT.write_text(written(told, names_))
    kept = read(KEPT.read_text())
    assert told.keys() == kept.keys()
    changed = [
        f"{' '.join(place)}, {name}: {cell}, not {kept[place][name]}"
        for place, cells in told.items()
        for name, cell in cells.items()
        if cell != kept[place][name]
    ]
    assert not changed, "not what access_matrix.txt says; if it is wanted, see this file's first lines:\n" + "\n".join(
        changed
    )


def test_another_method_than_the_table_lists_is_refused(world: World, who: dict[str, OfficeClient]) -> None:
    """Before anybody is asked who they are."""
    refused = [
        [method, row, answer(who[name], method, row, [])]
        for row in rows(world)
        for method in ("GET", "POST")
        if method not in DOORS[f"office:{row.name}"].methods
        for name in ("stranger", "site_administrator@site")
    ]
    assert len(refused) > 100
    assert [each for each in refused if each[-1] != "405"] == []


def test_every_address_has_a_line_in_the_table() -> None:
    without = sorted({name for name in names() if door_of(name) is None})
    assert not without, f"addresses that are shut to everybody: add lines to DOORS in central/doors/table.py: {without}"
    there = set(names())
    dead = sorted(name for name in DOORS if name not in there and not name.endswith(":*"))
    assert not dead, f"lines in DOORS without an address: {dead}"
    assert {door.who for door in DOORS.values() if isinstance(door.who, Right)} == set(Right) == set(RIGHTS)
    assert len(pages()) == sum(isinstance(door.who, Right) for door in DOORS.values())


def test_an_address_without_a_line_is_shut(monkeypatch: pytest.MonkeyPatch, who: dict[str, OfficeClient]) -> None:
    with pytest.raises(Exception, match=r"central/doors/table\.py"):
        of_site("new/", lambda request: None, "new")  # type: ignore[arg-type, return-value]
    monkeypatch.delitem(DOORS, "office:start")
    for client in who.values():
        assert client.get("/office/").status_code == 403


def differs(method: str, row: Row, world: World, who: dict[str, OfficeClient], kept: Matrix, only: Any = None) -> bool:
    """Whether anybody is answered something else than what is kept."""
    of = kept.get((method, row.name, row.place)) or dict.fromkeys(who, "405")
    return any(
        answer(client, method, row, world.marks()) != of[name] for name, client in who.items() if not only or only(name)
    )


@pytest.mark.nightly
def test_a_change_of_any_role_in_the_table_is_seen(
    world: World, who: dict[str, OfficeClient], kept: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cell of RIGHTS: taken away, given, or with another reach."""
    unseen, tried = [], 0
    for right, roles in RIGHTS.items():
        mine = [row for row in rows(world) if DOORS[f"office:{row.name}"].who is right and row.place != "elsewhere"]
        for role in Role:
            for scope in {None, *Scope} - {roles.get(role)}:
                tried += 1
                changed = {r: s for r, s in {**roles, role: scope}.items() if s is not None}
                with monkeypatch.context() as patched:
                    patched.setitem(RIGHTS, right, changed)
                    looks = ((method, row) for row in mine for method in DOORS[f"office:{row.name}"].methods)
                    if not any(
                        differs(method, row, world, who, kept, lambda name, r=role: name.startswith(r))
                        for method, row in looks
                    ):
                        unseen.append((right, role, scope))
    assert tried == len(Right) * len(Role) * len(Scope)
    # HOURLY is another answer only where there is somebody, or a key, that is not; roles for one unit have no SITE.
    permanent = {DOORS[f"office:{row.name}"].who for row in rows(world) if row.place == "one-permanent"}
    meaningless = {
        (right, role, scope)
        for right, role, scope in unseen
        if (scope is Scope.HOURLY and right not in permanent)
        or (scope is Scope.SITE and role in UNIT_ROLES and role not in RIGHTS[right])
    }
    assert set(unseen) == meaningless


@pytest.mark.nightly
def test_a_change_of_any_door_in_the_table_is_seen(
    world: World, who: dict[str, OfficeClient], kept: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line of DOORS below a site: with another method, or another right."""
    first = {row.name: row for row in reversed(rows(world)) if row.place != "elsewhere"}
    for name, row in first.items():
        line = DOORS[f"office:{name}"]
        other = Right.READ_LOG if line.who is not Right.READ_LOG else Right.SEE_TASKS
        for changed in (
            Door(POST if line.methods == GET else GET, line.who),
            Door(GET | POST if len(line.methods) == 1 else POST, line.who),
            Door(line.methods, other),
        ):
            with monkeypatch.context() as patched:
                patched.setitem(DOORS, f"office:{name}", changed)
                assert any(differs(method, row, world, who, kept) for method in ("GET", "POST")), (name, changed)


def test_the_admin_page_is_the_operators_at_every_address(world: World, who: dict[str, OfficeClient]) -> None:
    everything = who["site_administrator@site"]
    user = Membership.objects.get(user__username=f"site_administrator@site-{world.there.number}").user
    for role in set(Role) - {Role.SITE_ADMINISTRATOR}:
        unit = world.there.one.unit if role in UNIT_ROLES else None
        Membership.objects.create(user=user, role=role, site=world.there.site, unit=unit)
    user.is_staff = True
    user.save()
    found = 0
    for path in admin_paths():
        for method in ("GET", "POST"):
            found += 1
            row = Row("admin", "", path)
            assert answer(who["stranger"], method, row, []) == "L", path
            assert answer(everything, method, row, []) == "403", path
            assert answer(who["operator"], method, row, []) in {"Y", "404", "403", "405"}, path
    assert answer(who["operator"], "GET", Row("admin", "", "/admin/central/holder/"), []) == "Y"
    assert found > 150


def admin_paths() -> list[str]:
    """Every address of the admin page but those that are the office's."""
    admin: Any = next(each for each in get_resolver().url_patterns if getattr(each, "namespace", "") == "admin")
    found = []

    def walk(resolver: Any, prefix: str) -> None:
        for pattern in resolver.url_patterns:
            path = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                walk(pattern, path)
            elif "(?P" not in path:
                found.append(path)

    walk(admin, "/admin/")
    bare = [path for path in found if path not in {"/admin/login/", "/admin/logout/", "/admin/password_change/"}]
    return [part.replace("<path:object_id>", "1").replace("<id>", "1").replace("<path:content_type_id>", "1")
            for part in bare]  # fmt: skip


@pytest.mark.parametrize("kind", [None, 0, 1, 2])
def test_a_token_opens_what_its_kind_of_station_may_ask(world: World, kind: int | None) -> None:
    station, headers = world.there.one.station, {}
    if kind is not None:
        with change_and_sign():
            station.role = kind
            station.save()
            sign_certificate(station, SigningKey.generate().public, unix_now())
        StationToken.objects.create(sha256=token_fingerprint(f"t-{kind}"), station=station, created_at=1)
        headers = {"Authorization": f"Bearer t-{kind}"}
    client = OfficeClient(headers={"host": "localhost", **headers})
    for name, door in DOORS.items():
        if not name.startswith("stations:"):
            continue
        path = {"snapshot": "mirror/snapshot", "changes": "mirror/changes", "openapi-json": "openapi.json"}
        call = name.removeprefix("stations:")
        where = "/api/v1/" + ("" if call == "api-root" else path.get(call, call))
        for method in ("GET", "POST"):
            got = client.generic(method, where, "{}", content_type="application/json").status_code
            if method not in door.methods:
                assert got in {404, 405}, (name, method, got)
            elif isinstance(door.who, StationKinds):
                expected = 401 if kind is None else None if kind in door.who.kinds else 403
                assert got == expected if expected else got not in {401, 403, 404, 405}, (name, method, got)
            else:
                assert door.who is Anybody.STRANGER
                assert got not in {401, 403, 405}, (name, method, got)
