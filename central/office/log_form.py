"""The question to the opening log: about whom or what, of which days, and why. The why is asked once for a case."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.actions.look_ups import open_cases
from central.clock import unix_now
from central.models import Holder, Key, Lock, LookUp, Opening, Site
from central.models.base import check_printable
from central.office.access import SiteAccess
from central.office.forms import DateInput
from central.office.views.answers import FIRST_DAY, LAST_DAY, number_in
from central.office.views.people_offered import by_name

DAYS_BACK = 7
FOUND_LIMIT = 30
"""Of a name that is typed: who gets more to choose from writes more of it."""

CAUSES = {
    LookUp.Cause.INCIDENT: gettext_lazy("an incident"),
    LookUp.Cause.CLIENT_ASKED: gettext_lazy("a client has asked"),
    LookUp.Cause.KEY_LOST: gettext_lazy("a key is lost"),
    LookUp.Cause.ACCESS_CHECK: gettext_lazy("a check of who has access"),
    LookUp.Cause.TECHNICAL: gettext_lazy("a technical fault"),
    LookUp.Cause.OTHER: gettext_lazy("something else"),
}


@dataclass(frozen=True)
class Found:
    """Something that a look-up can be about: ``about`` as `LookUp` has it, and what to call it."""

    about: str
    number: int
    text: str

    @property
    def value(self) -> str:
        """In a form."""
        return f"{self.about}.{self.number}"


class LookUpForm(forms.Form):
    """What to look up in the opening log, and why."""

    about = forms.ChoiceField(
        label=gettext_lazy("Look up"),
        choices=[
            ("", gettext_lazy("whatever has the name or number")),
            ("holder", gettext_lazy("a person")),
            ("key", gettext_lazy("a key")),
            ("lock", gettext_lazy("a lock")),
        ],
        required=False,
    )
    q = forms.CharField(label=gettext_lazy("Name or number"), max_length=120)
    since = forms.DateField(label=gettext_lazy("From"), widget=DateInput)
    until = forms.DateField(label=gettext_lazy("To"), widget=DateInput)
    case = forms.IntegerField(required=False, widget=forms.HiddenInput)
    cause = forms.ChoiceField(label=gettext_lazy("Because of"), choices=[("", "–"), *CAUSES.items()])
    reason = forms.CharField(
        label=gettext_lazy("Reason (is logged)"), min_length=5, max_length=300, validators=[check_printable]
    )

    def __init__(self, access: SiteAccess, asked: str | None, *args: Any, **kwargs: Any) -> None:
        """``asked``: the case that the page was asked for by number; None: the newest that is open; else a new one."""
        site, today = access.site, access.site.today()
        self.cases = list(open_cases(site, access.user, unix_now()))
        self.open_case = self._case_of(asked)
        initial = {
            "since": today - timedelta(days=DAYS_BACK),
            "until": today,
            "case": self.open_case and self.open_case.pk,
        }
        super().__init__(*args, **{"initial": initial, **kwargs})
        self.site = site
        self.found: list[Found] = []
        if self.is_bound:
            self.open_case = self._case_of(str(self.data.get("case", "")))
        if self.open_case is not None:
            del self.fields["cause"], self.fields["reason"]

    def _case_of(self, asked: str | None) -> LookUp | None:
        if asked is None:
            return self.cases[0] if self.cases else None
        return next((case for case in self.cases if str(case.pk) == asked), None)

    @property
    def case_cause(self) -> Any:
        """In words, of `open_case`."""
        return CAUSES[LookUp.Cause(self.open_case.cause)] if self.open_case else ""

    def clean_q(self) -> str:
        """What is there: `found`, one of which is picked."""
        words, about = str(self.cleaned_data["q"]).strip(), str(self.cleaned_data.get("about") or "")
        self.found = list(islice(things(self.site, about, words), FOUND_LIMIT + 1))
        if not self.found:
            raise forms.ValidationError(_nothing(about, words))
        if len(self.found) > FOUND_LIMIT:
            self.found = []
            raise forms.ValidationError(_("Too many fit: write more of the name."))
        if len(self.found) > 1 and self.picked() is None:
            raise forms.ValidationError(_("Several fit: choose one below."))
        return words

    def clean(self) -> dict[str, Any]:
        """A window the wrong way round has nothing in it, and that would look like an answer."""
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            raise forms.ValidationError(_("The first day is after the last."))
        return data

    def picked(self) -> Found | None:
        """The only one that fits; of several the one that was chosen."""
        if len(self.found) == 1:
            return self.found[0]
        return next((each for each in self.found if each.value == self.data.get("pick")), None)

    def why(self) -> dict[str, Any]:
        """The case, or the cause and reason of a new one, as `note_look_up` takes them."""
        if self.open_case is not None:
            return {
                "case": self.open_case,
                "cause": LookUp.Cause(self.open_case.cause),
                "reason": self.open_case.reason,
            }
        return {"cause": LookUp.Cause(self.cleaned_data["cause"]), "reason": self.cleaned_data["reason"]}

    def window(self) -> tuple[int, int]:
        """From the first day's start to the last day's end, by the site's clocks."""
        zone = ZoneInfo(self.site.timezone)
        first = max(self.cleaned_data["since"], FIRST_DAY)
        last = max(FIRST_DAY, min(self.cleaned_data["until"], LAST_DAY)) + timedelta(days=1)
        since, until = (datetime.combine(day, time(), tzinfo=zone) for day in (first, last))
        return int(since.timestamp()), int(until.timestamp())


def things(site: Site, about: str, words: str) -> Iterator[Found]:
    """The site's keys, locks and people with that number, and the people with a name that has all these words.

    A key or lock that is no longer registered is found while the log has something of it.
    """
    number = number_in(words)
    if number is not None and about in {"", "key"}:
        key = Key.objects.filter(site=site, number=number).select_related("holder").first()
        if key is not None or _is_in_log(site, key=number):
            holder = f" ({key.holder})" if key is not None and key.holder is not None else ""
            yield Found("key", number, _("Key %(number)s") % {"number": number} + holder)
    if number is not None and about in {"", "lock"}:
        lock = Lock.objects.filter(site=site, number=number).select_related("area").first()
        if lock is not None or _is_in_log(site, lock=number):
            area = f" ({lock.area})" if lock is not None else ""
            yield Found("lock", number, _("Lock %(number)s") % {"number": number} + area)
    if about in {"", "holder"}:
        for person in by_name(Holder.objects.filter(site=site).select_related("unit"), words, FOUND_LIMIT + 1):
            yield Found("holder", person.number, f"{person} ({person.number}), {person.unit}")


def _is_in_log(site: Site, **of: int) -> bool:
    return Opening.objects.kept(site, unix_now()).filter(**of).exists()


def _nothing(about: str, words: str) -> str:
    text = {
        "lock": _("There is no lock %(words)s."),
        "key": _("There is no key %(words)s."),
        "holder": _("There is no person %(words)s."),
    }.get(about, _("There is no person, key or lock %(words)s."))
    return text % {"words": words}
