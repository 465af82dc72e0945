"""Every form of the office, sent twice: at once, and after a reload. `test_twice` runs it, on each database.

In a database of its own: all tables are read before and after each post.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.db import connection, connections
from django.test import override_settings

from central.doors.table import DOORS, Right
from tests.central.served import Served
from tests.central.site import make_site
from tests.office.asking import at
from tests.office.every_form import SampleSite, act_of, name_of, pages_of
from tests.office.forms_of import Form, Page
from tests.office.visitors import World

NOT_COMPARED = re.compile(
    r"django_session|central_sentform|central_trycount|central_serverfact|central_accessperiod|sqlite_"
)
"""What is written about whoever comes, whatever they do; and what is forgotten if it ends in the second it began."""


def rows() -> dict[str, Any]:
    """Every table's number of rows, and a sum of what is in them."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if not NOT_COMPARED.match(table):
                cursor.execute(f'SELECT * FROM "{table}"')
                every = cursor.fetchall()
                found[table] = (len(every), sum(hash(repr(row)) for row in every))
    return found


def more(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    return {table: after[table][0] - before[table][0] for table in after if after[table][0] != before[table][0]}


ABOUT_NOTHING = {"employee", "hourly", "new_station", "users", "import", "log", "pins_renew"}
"""Forms about nothing that another could have changed: something new, the log, whoever is next."""
TIMES = 5
"""As often as each form is posted: once, and after a reload; twice at once, and after a reload."""


def send(sample: SampleSite, form: Form) -> Any:
    """As often as it is called, the same."""
    return sample.office.post(form.action, form.data())


def send_at_once(sample: SampleSite, form: Form) -> list[Any]:
    def send_once(_: int) -> Any:
        try:
            return send(sample, form)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as both:
        return list(both.map(send_once, range(2)))


@dataclass
class Twice:
    """Sends each form of two sites alike: at one once, and after a reload; at the other twice at once, and again."""

    twins: list[SampleSite]
    taken: set[tuple[Any, ...]] = field(default_factory=set)
    wrong: list[Any] = field(default_factory=list)
    sent: int = 0

    def page(self, path: str, *, is_dangerous: bool) -> None:
        """Each form of the page, on a page that is loaded anew for it; with the dangerous ones what they lead to."""
        seen: set[Any] = set()
        paths = [path.replace(f"/{self.twins[0].part.number}/", f"/{twin.part.number}/") for twin in self.twins]
        while True:
            both = [twin.page(path).forms for twin, path in zip(self.twins, paths, strict=True)]
            if len({len(forms) for forms in both}) > 1:
                self.wrong.append((paths, *([act_of(form) for form in forms] for forms in both)))
                return
            todo = [
                (act, forms)
                for forms in zip(*both, strict=True)
                if forms[0].method == "post" and is_dangerous >= forms[0].is_dangerous
                if (act := act_of(forms[0])) not in self.taken | seen
            ]
            for act, forms in todo[:1]:
                seen.add(act)
                self.send(act, *forms)
            if len({act for act, _forms in todo}) <= (not is_dangerous):
                return

    def undo(self, path: str) -> None:
        """Do something, and take it back."""
        pages = [Page(twin.office.post(at(twin.part, path), follow=True).text, path) for twin in self.twins]
        self.send(("undo",), *(page.undos[0] for page in pages))

    def send(self, act: tuple[Any, ...], form: Form, twin_form: Form) -> None:
        """What is in the database afterwards is compared."""
        self.sent += 1
        one, two = self.twins
        looks = [rows()]
        answer = send(one, form)
        looks.append(rows())
        send(one, form)
        looks.append(rows())
        answers = send_at_once(two, twin_form)
        looks.append(rows())
        send(two, twin_form)
        looks.append(rows())
        once_, reloaded, at_once, again = (more(a, b) for a, b in pairwise(looks))
        if looks[1] != looks[2] or looks[3] != looks[4] or once_ != at_once:
            self.wrong.append((act, form.action, once_, reloaded, at_once, again, [answer, *answers]))
        if max(each.status_code for each in (answer, *answers)) < 400:
            self.taken.add(act)
        # A page that is the answer to a form may have a form of its own.
        if answer.status_code == answers[0].status_code == 200:
            for nested in zip(*(Page(each.text, form.action).forms for each in (answer, answers[0])), strict=True):
                if nested[0].method == "post" and "apply" in dict(nested[0].fields) | dict(
                    [nested[0].button or ("", "")]
                ):
                    self.send((*act, "apply"), *nested)


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
def test_every_form_sent_twice_acts_once(served: Served, seat: Any) -> None:
    world = World(make_site(2, pools=True), make_site(2, pools=True))
    twins = [SampleSite(part, seat) for part in (world.there, world.elsewhere)]
    twice = Twice(twins)
    pages = pages_of(twins[0])
    for is_dangerous in (False, True):
        for path, forms in pages:
            posts = [form for form in forms if form.method == "post"]
            if any(form.is_dangerous is is_dangerous and act_of(form) not in twice.taken for form in posts):
                twice.page(path, is_dangerous=is_dangerous)
    twice.undo("keys/102/block/")
    assert not twice.wrong, "\n".join(map(str, twice.wrong))
    acts = {name.removeprefix("office:") for name, door in DOORS.items()
            if isinstance(door.who, Right) and "POST" in door.methods}  # fmt: skip
    unmarked = {
        name_of(form.action)
        for _path, forms in pages
        for form in forms
        if form.method == "post" and not form.says_what_it_has_seen
    }
    assert unmarked == ABOUT_NOTHING
    never = acts - {act[0] for act in twice.taken}
    assert not never, f"never taken: {never}"
    print(f"{len(acts)} addresses, {len(twice.taken)} acts, {twice.sent} forms, {TIMES * twice.sent} posts")  # noqa: T201
