"""Every form of the office, on the pages that links lead to, at a site where something has happened already."""

from types import SimpleNamespace
from typing import Any

from django.urls import resolve

from central.actions.access import give_for_a_time
from central.actions.keys import block_key, break_key
from central.actions.people import end_employment
from central.actions.pool_keys import lend_key
from central.actions.users import give_role
from central.clock import unix_now
from central.feed import change_and_sign
from central.models import Membership, Role
from central.models.users import UNIT_ROLES
from tests.office.asking import at
from tests.office.forms_of import Form, Page

FIRST = ("today/", "people/21/", "people/11/", "people/10/", "people/20/", "keys/100/", "keys/201/", "keys/202/")
SEVERAL = tuple(f"people/several/?act={act}&who=11&who=20" for act in ("pins", "extend", "end", "move"))
"""Pages to begin with; the others are where their links lead."""
WITHOUT_FORMS = {"receipt", "trail", "station_label"}
LISTS = {"people", "keys", "pools", "stations", "users"}
"""They remember what was chosen in them: whoever comes again would see less."""
OF_A_KIND = 3
"""Pages looked at of each address: a permanent person and an hourly one, keys of all kinds, and the other unit's."""


class SampleSite:
    """A site in which something has happened already, and somebody with every role there."""

    def __init__(self, part: SimpleNamespace, seat: Any) -> None:
        self.part = part
        self.office = seat("site_administrator", part.site)
        for role in set(Role) - {Role.SITE_ADMINISTRATOR}:
            unit = part.one.unit if role in UNIT_ROLES else None
            Membership.objects.create(user=self.office.user, role=role, site=part.site, unit=unit)
        # For forms that are there only then: unlock, found, mended, new key, taken back, end it now, employ again, shut
        # out.
        with change_and_sign():
            part.one.keys[0].locked_at = unix_now()
            part.one.keys[0].save()
        block_key(part.two.keys[2])
        break_key(part.two.keys[1])
        break_key(part.two.keys[0])
        lend_key(part.one.keys[1], part.one.hourly)
        give_for_a_time(part.own.permissions.get(), [part.area], part.site.today())
        end_employment(part.two.hourly)
        give_role(f"leaves.{part.number}", ("", ""), Role.COORDINATOR, part.site, part.one.unit)

    def page(self, path: str) -> Page:
        """Its links and forms."""
        answer = self.office.get(path)
        return Page(answer.text if answer.status_code == 200 else "", path)


def pages_of(sample: SampleSite) -> list[tuple[str, list[Form]]]:
    """The pages that links lead to, and their forms."""
    found = [at(sample.part, path) for path in FIRST + SEVERAL]
    forms = []
    for path in found:
        page = sample.page(path)
        forms.append(page.forms)
        for link in page.links:
            name = name_of(link)
            is_here = f"/{sample.part.number}/" in link and not (name in LISTS and "?" in link)
            if link not in found and is_here and name not in WITHOUT_FORMS:
                found += [link] if sum(name_of(path) == name for path in found) < OF_A_KIND else []
    return list(zip(found, forms, strict=True))


def act_of(form: Form) -> tuple[Any, ...]:
    """What a form is for: its address, its button, and what is chosen in it."""
    return name_of(form.action), form.button and form.button[0], form.fields.get("act", [""])[0]


def name_of(path: str) -> str:
    """The name of an address."""
    return str(resolve(path.partition("?")[0]).url_name)
