"""The forms of an employment: what the office knows of somebody, another unit, and coming back."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from central.actions.moves import Employment, own_keys
from central.doors.table import Right
from central.models import Holder, Key, Unit
from central.models.base import check_printable
from central.office import merging
from central.office.access import SiteAccess
from central.office.access_forms import MEANWHILE
from central.office.forms import LANGUAGES, DateInput, check_days, clean_name
from central.office.templatetags.office import day

HOURLY = Holder.Category.HOURLY
OWN_KEY = [
    (Holder.Category.PERMANENT.value, _("Permanent")),
    (Holder.Category.LONG_TERM.value, _("Long-term substitute")),
]
FIELDS = ("given_name", "family_name", "category", "employment_begins", "employment_ends", "language", "note")


class EditForm(forms.Form):
    """What the office knows of somebody. What two change at once is merged (`merging`)."""

    given_name = forms.CharField(label=_("First name"), max_length=60)
    family_name = forms.CharField(label=_("Family name"), max_length=60)
    category = forms.TypedChoiceField(label=_("Employment"), coerce=int, choices=OWN_KEY)
    employment_begins = forms.DateField(label=_("First day at work"), required=False, widget=DateInput)
    employment_ends = forms.DateField(label=_("Last day at work"), required=False, widget=DateInput)
    language = forms.ChoiceField(label=_("Language on the screen"), choices=LANGUAGES, required=False)
    note = forms.CharField(
        label=_("Note (for the office only)"), required=False, max_length=200, validators=[check_printable]
    )

    def __init__(self, holder: Holder, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {name: getattr(holder, name) for name in FIELDS}
        super().__init__(*args, **kwargs)
        if holder.category == HOURLY:
            # To and from hourly is another employment: keys and permissions are of another kind.
            del self.fields["category"]
        self.holder = holder
        self.now = {name: _plain(getattr(holder, name)) for name in self.fields}
        self.shown = merging.from_text(str(self.data.get(merging.FIELD, "")), self.now) if self.is_bound else self.now

    @property
    def shown_text(self) -> str:
        """What the page shows, for the form to bring along."""
        return merging.as_text(self.shown)

    def clean_given_name(self) -> str:
        """As screens can show it."""
        return clean_name(self.cleaned_data["given_name"])

    def clean_family_name(self) -> str:
        """As screens can show it."""
        return clean_name(self.cleaned_data["family_name"])

    def clean_employment_ends(self) -> date | None:
        """Not a day that is over: ending at once is an act of its own."""
        last: date | None = self.cleaned_data["employment_ends"]
        if last is not None and last < self.holder.site.today() and last != self.holder.employment_ends:
            raise forms.ValidationError(_("That day is over. To end it at once: Employment ends."))
        return last

    def clean(self) -> dict[str, Any]:
        """What changes, merged with what somebody else has changed."""
        data = super().clean() or {}
        check_days(self, data)
        if not self.errors:
            wanted = {name: _plain(data[name]) for name in self.fields}
            self.merged = merging.merged(self.shown, wanted, self.now)
            for name in self.merged.conflicts:
                now = getattr(self.holder, name)
                self.add_error(name, MEANWHILE % {"now": _in_words(now, self.fields[name])})
                self.shown[name] = self.now[name]
        return data

    def changed(self) -> dict[str, Any]:
        """What is to be changed, by the name of the field."""
        return {name: self.cleaned_data[name] for name in self.merged.changed}


class MoveForm(forms.Form):
    """Another unit for some people, and what goes along."""

    unit = forms.ModelChoiceField(Unit.objects.none(), label=_("To the unit"), empty_label=None)
    opens = forms.ChoiceField(
        label=_("May open"), initial="new", widget=forms.RadioSelect,
        choices=[("new", _("what is usual in the new unit, instead of now")), ("keep", _("what they may open now"))],
    )  # fmt: skip
    key = forms.ChoiceField(
        label=_("Their key"), initial="along", widget=forms.RadioSelect,
        choices=[("along", _("goes along")), ("back", _("is handed in, here and now"))],
    )  # fmt: skip

    def __init__(self, access: SiteAccess, people: list[Holder], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Where all of them may go: what differs is whether somebody's unit keeps to itself.
        closed_or_not = {holder.unit.closed: holder for holder in people}.values()
        there = {holder.unit_id for holder in people}
        units = Unit.objects.exclude(pk__in=there if len(there) == 1 else [])
        for holder in closed_or_not:
            units &= access.units_beside(holder, Right.EDIT_PERSON)
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]
        if not Key.objects.filter(holder__in=people).exclude(status=Key.Status.RETURNED).exists():
            del self.fields["key"]

    @property
    def key_handed_in(self) -> bool:
        """Whether their key stays here."""
        return self.cleaned_data.get("key") == "back"


class AgainForm(forms.Form):
    """Somebody who has left works here again."""

    category = forms.TypedChoiceField(
        label=_("Employment"), coerce=int, choices=[*OWN_KEY, (HOURLY.value, _("Hourly"))]
    )
    unit = forms.ModelChoiceField(Unit.objects.none(), label=_("Unit"), empty_label=None)
    employment_begins = forms.DateField(label=_("First day at work (empty: today)"), required=False, widget=DateInput)
    employment_ends = forms.DateField(label=_("Last day at work"), required=False, widget=DateInput)

    def __init__(self, access: SiteAccess, holder: Holder, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"category": holder.category, "unit": holder.unit_id}
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = access.units(Right.EDIT_PERSON)  # type: ignore[attr-defined]
        if not access.may(Right.ADD_EMPLOYEE):
            self.fields["category"].choices = [(HOURLY.value, _("Hourly"))]  # type: ignore[attr-defined]
        self.holder = holder

    def clean_employment_ends(self) -> date | None:
        """Not over already."""
        last: date | None = self.cleaned_data["employment_ends"]
        if last is not None and last < self.holder.site.today():
            raise forms.ValidationError(_("That day is over."))
        return last

    def clean(self) -> dict[str, Any]:
        """Whoever works by the hour has no key of their own."""
        data = super().clean() or {}
        check_days(self, data)
        keys = own_keys(self.holder)
        if data.get("category") == HOURLY and keys:
            numbers = ", ".join(map(str, keys))
            self.add_error("category", _("First take back their own key: %(keys)s") % {"keys": numbers})
        return data

    def employment(self) -> Employment:
        """How they work here again."""
        told = self.cleaned_data
        return Employment(told["category"], told["unit"], told["employment_begins"], told["employment_ends"])


def _in_words(value: Any, field: forms.Field) -> str:
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(value, "–"))  # type: ignore[arg-type]
    return day(value) if isinstance(field, forms.DateField) else value or "–"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
