"""The forms of the office. Each is made for a user at a site: it offers only what is in their scope."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from central.actions.access import Access, usual_access
from central.actions.people import PersonDetails, people_named, shown_name
from central.doors.table import ROLES_BY_OPERATOR, Right
from central.models import Area, Holder, Key, Membership, Role, Station, Unit
from central.models.base import MAX_UINT32
from central.models.users import UNIT_ROLES
from central.office.access import SiteAccess
from central.office.hours import PRESETS, windows_of
from central.office.map_links import LINK_LIMIT_CHARACTERS, place_in

LANGUAGES = [("", "–"), *settings.LANGUAGES]
LEFT_LATELY_DAYS = 365
"""For so long, whoever has left is asked about before somebody of the same name is added."""
IMPORT_LIMIT_BYTES = 512 * 1024


class DateInput(forms.DateInput):
    """The browser's own picker."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class PersonForm(forms.Form):
    """What everybody who begins has."""

    right: Right
    given_name = forms.CharField(label=_("First name"), max_length=60)
    family_name = forms.CharField(label=_("Family name"), max_length=60)
    unit = forms.ModelChoiceField(Unit.objects.none(), label=_("Unit"), empty_label=None)
    hours = forms.ChoiceField(
        label=_("Hours"),
        choices=[("", _("as usual in the unit")), *((name, text) for name, (text, _shifts) in PRESETS.items())],
        required=False,
    )
    employment_begins = forms.DateField(label=_("First day at work (empty: today)"), required=False, widget=DateInput)
    employment_ends = forms.DateField(label=_("Last day at work"), required=False, widget=DateInput)
    language = forms.ChoiceField(label=_("Language on the screen"), choices=LANGUAGES, required=False)
    add_another = forms.BooleanField(label=_("This is somebody else: add them"), required=False)

    def __init__(self, access: SiteAccess, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access = access
        self.fields["unit"].queryset = access.units(self.right)  # type: ignore[attr-defined]
        self.doubles: list[Holder] = []
        self._add_another = self.fields.pop("add_another")

    def clean(self) -> dict[str, Any]:
        """Whoever is here under the same name is asked about, once."""
        data = super().clean() or {}
        check_days(self, data)
        if {"given_name", "family_name"} <= data.keys():
            since = self.access.site.today() - timedelta(days=LEFT_LATELY_DAYS)
            self.doubles = people_named(self.access.site, data["given_name"], data["family_name"], since)
        if self.doubles:
            # Only now: whoever adds a person does not say before that they are another.
            self.fields["add_another"] = self._add_another
            if not self.data.get("add_another"):
                self.add_error("add_another", _("Add another one?"))
        return data

    def windows(self) -> list[list[int]] | None:
        """The hours that were chosen; None: as usual in the unit."""
        chosen = self.cleaned_data["hours"]
        return windows_of(PRESETS[chosen][1]) if chosen else None

    def clean_given_name(self) -> str:
        """As screens can show it."""
        return clean_name(self.cleaned_data["given_name"])

    def clean_family_name(self) -> str:
        """As screens can show it."""
        return clean_name(self.cleaned_data["family_name"])

    def clean_employment_ends(self) -> date | None:
        """Not over already: whoever begins would have a PIN that opens nothing."""
        last: date | None = self.cleaned_data["employment_ends"]
        if last is not None and last < self.access.site.today():
            raise forms.ValidationError(_("That day is over."))
        return last

    def details(self, category: int) -> PersonDetails:
        """Whom it says."""
        names = ("given_name", "family_name", "unit", "employment_begins", "employment_ends", "language")
        return PersonDetails(category=category, **{name: self.cleaned_data[name] for name in names})


class EmployeeForm(PersonForm):
    """A new employee, with a key of their own."""

    right = Right.ADD_EMPLOYEE
    category = forms.TypedChoiceField(
        label=_("Employment"), coerce=int, choices=[(0, _("Permanent")), (1, _("Long-term substitute"))]
    )
    key_number = forms.IntegerField(
        label=_("Key number (empty: the next one)"), required=False, min_value=1, max_value=MAX_UINT32
    )
    areas = forms.ModelMultipleChoiceField(
        Area.objects.none(), label=_("Areas (none chosen: as usual in the unit)"), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def __init__(self, access: SiteAccess, *args: Any, **kwargs: Any) -> None:
        super().__init__(access, *args, **kwargs)
        self.fields["areas"].queryset = access.areas(self.right)  # type: ignore[attr-defined]

    def clean_key_number(self) -> int | None:
        """A number that no key has."""
        number: int | None = self.cleaned_data["key_number"]
        if number is not None and Key.objects.filter(site=self.access.site, number=number).exists():
            raise forms.ValidationError(_("There is a key with this number already."))
        return number

    def opens(self) -> Access:
        """What it says, and for the rest what is usual in the unit."""
        access = usual_access(self.cleaned_data["unit"])
        chosen, windows = tuple(self.cleaned_data["areas"]), self.windows()
        access = replace(access, areas=chosen, every_area=False) if chosen else access
        return access if windows is None else replace(access, windows=windows)


class HourlyForm(PersonForm):
    """Somebody paid by the hour, with the units whose substitute keys they may use."""

    right = Right.ADD_HOURLY
    units = forms.ModelMultipleChoiceField(
        Unit.objects.none(), label=_("Substitute keys of"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, access: SiteAccess, *args: Any, **kwargs: Any) -> None:
        super().__init__(access, *args, **kwargs)
        self.fields["units"].queryset = access.units(self.right)  # type: ignore[attr-defined]


class EndForm(forms.Form):
    """At once, or with a last day: an empty date never means at once."""

    when = forms.ChoiceField(
        label=_("Employment ends"), choices=[("after", _("after the last day")), ("now", _("at once"))],
        widget=forms.RadioSelect,
    )  # fmt: skip
    last_day = forms.DateField(label=_("Last day at work"), required=False, widget=DateInput)

    def clean(self) -> dict[str, Any]:
        """A day, unless it is at once."""
        data = super().clean() or {}
        if data.get("when") == "after" and data.get("last_day") is None:
            self.add_error("last_day", _("Say which day."))
        return data

    def last_day_chosen(self) -> date | None:
        """None: at once."""
        return None if self.cleaned_data["when"] == "now" else self.cleaned_data["last_day"]


class ExtendForm(forms.Form):
    """A later last day."""

    last_day = forms.DateField(label=_("New last day at work"), widget=DateInput)


class UserForm(forms.Form):
    """A role for somebody, who gets an account if there is none of that name."""

    username = forms.CharField(label=_("User name"), max_length=150)
    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Family name"), max_length=150, required=False)
    role = forms.ChoiceField(
        label=_("Role"), choices=[each for each in Role.choices if each[0] not in ROLES_BY_OPERATOR]
    )
    unit = forms.ModelChoiceField(Unit.objects.none(), label=_("Unit"), required=False, empty_label=_("the whole site"))

    def __init__(self, access: SiteAccess, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access = access
        self.fields["unit"].queryset = access.units(Right.MANAGE_USERS)  # type: ignore[attr-defined]

    def clean_username(self) -> str:
        """As the account there is writes it: one person is not two because of a capital letter."""
        name = str(self.cleaned_data["username"])
        users = get_user_model()._default_manager  # noqa: SLF001  (Django's own name)
        alike = users.filter(username__iexact=name).order_by("pk").values_list("username", flat=True)
        return name if name in alike else str(alike.first() or name)

    def clean(self) -> dict[str, Any]:
        """Not for oneself; with a unit where the role needs one; the role is new to that user."""
        data = super().clean() or {}
        if data.get("username") == self.access.user.get_username():
            # Else a site administrator would read the opening log as their own auditor.
            raise forms.ValidationError(_("Nobody changes their own roles."))
        if data.get("role") in UNIT_ROLES and data.get("unit") is None:
            self.add_error("unit", _("This role is for one unit."))
        there = Membership.objects.filter(user__username=data.get("username"), role=data.get("role"))
        if there.filter(site=self.access.site, unit=data.get("unit")).exists():
            raise forms.ValidationError(_("This user has the role already."))
        return data

    def names(self) -> tuple[str, str]:
        """First and family name, for a new account."""
        return self.cleaned_data["first_name"], self.cleaned_data["last_name"]


STATION_KINDS = [
    (Station.Role.SYNC_STATION, _("Key station")),
    (Station.Role.ACTIVATION_BOX, _("Activation box")),
    (Station.Role.UPDATE_BOX, _("Update box")),
]


class StationForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new station."""

    role = forms.TypedChoiceField(label=_("Kind"), coerce=int, choices=STATION_KINDS)

    class Meta:
        model = Station
        fields = ["name", "address", "unit", "role"]
        labels = {"name": _("Name"), "address": _("Address"), "unit": _("Unit")}

    def __init__(self, access: SiteAccess, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = access.units(Right.ENROL_STATION)  # type: ignore[attr-defined]


class PlaceForm(forms.Form):
    """Where a station is."""

    place = forms.CharField(
        label=_("Degrees, or a link from a map"), required=False, max_length=LINK_LIMIT_CHARACTERS,
        help_text=_("For example 57.70716, 11.96679, or an address of OpenStreetMap or Google Maps. Empty: not known."),
    )  # fmt: skip

    def clean_place(self) -> tuple[int, int] | None:
        """In millionths of a degree."""
        text = self.cleaned_data["place"]
        found = place_in(text)
        if text and found is None:
            raise forms.ValidationError(
                _("There is no place in it. Short links have none: open the link, and copy the address of the map.")
            )
        return found


class ImportForm(forms.Form):
    """A file of lines: looked at first, then applied. The text is sent along: what is applied is what was shown."""

    kind = forms.ChoiceField(label=_("Lines of"), choices=[("staff", _("staff")), ("locks", _("locks"))])
    file = forms.FileField(label=_("CSV file"), required=False)
    text = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)

    def clean(self) -> dict[str, Any]:
        """Puts the file's text into ``text``."""
        data = super().clean() or {}
        file = data.get("file")
        if file is not None:
            if file.size > IMPORT_LIMIT_BYTES:
                raise forms.ValidationError(_("The file is too large."))
            try:
                data["text"] = file.read().decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise forms.ValidationError(_("The file is not UTF-8 text.")) from error
        if not data.get("text"):
            raise forms.ValidationError(_("Choose a file."))
        return data


def check_days(form: forms.Form, data: dict[str, Any]) -> None:
    """Whoever begins after the last day has a PIN that opens nothing."""
    begins, ends = data.get("employment_begins"), data.get("employment_ends")
    if begins is not None and ends is not None and begins > ends:
        form.add_error("employment_ends", _("The last day is before the first."))


def clean_name(text: str) -> str:
    """As screens can show it."""
    name = shown_name(text)
    if not name:
        raise forms.ValidationError(_("There are characters in it that no screen can show."))
    return name


def category_name(category: int) -> Any:
    """In the language of the page."""
    return {
        Holder.Category.PERMANENT: _("Permanent"),
        Holder.Category.LONG_TERM: _("Long-term substitute"),
        Holder.Category.HOURLY: _("Hourly"),
    }[Holder.Category(category)]
