"""The forms of what people may open: areas, single locks, hours, and areas for a time."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from central.actions.access import Access, access_of, usual_access
from central.doors.table import Right
from central.models import Area, Holder, Lock, Permission, Unit
from central.office import merging
from central.office.access import SiteAccess
from central.office.forms import DateInput
from central.office.hours import DAYS, OWN, PRESETS, Shift, in_words, preset_of, shifts_of, windows_of
from central.office.views.answers import number_in
from station.records.claims import NUMBERS_LIMIT, WINDOWS_LIMIT

ROWS = 4
FOR_A_TIME_DAYS = 62
"""The longest that areas are given for a time: who works longer in a unit moves there."""
SUNDAY = 6
MEANWHILE = _("Somebody else has changed this meanwhile, to: %(now)s. Save again to have it as you say.")


class TimeInput(forms.TimeInput):
    """The browser's own."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class OpensForm(forms.Form):
    """Areas and hours, of a permission or usual in a unit. What two change at once is merged (`merging`)."""

    every_area = forms.BooleanField(label=_("All areas"), required=False)
    areas = forms.ModelMultipleChoiceField(
        Area.objects.none(), label=_("Areas"), required=False, widget=forms.CheckboxSelectMultiple
    )
    hours = forms.ChoiceField(
        label=_("Hours"), choices=[*((name, text) for name, (text, _shifts) in PRESETS.items()), (OWN, _("These:"))],
        widget=forms.RadioSelect,
    )  # fmt: skip

    def __init__(self, access: SiteAccess, right: Right, old: Access, *args: Any, **kwargs: Any) -> None:
        shifts = shifts_of(old.windows)
        own = preset_of(old.windows) == OWN
        rows = max(ROWS, len(shifts) + 1)
        initial: dict[str, Any] = {
            "every_area": old.every_area,
            "areas": [area.pk for area in old.areas],
            "hours": preset_of(old.windows),
        }
        for at, shift in enumerate(shifts if own else []):
            initial |= {
                f"days_{at}": [bit for bit, _name in DAYS if shift.days & bit],
                f"from_{at}": time(*divmod(shift.start, 60)),
                f"to_{at}": time(*divmod(shift.end, 60)),
            }
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)
        offered = access.areas(right)
        self.fields["areas"].queryset = offered  # type: ignore[attr-defined]
        mine = set(offered.values_list("pk", flat=True))
        self.kept_areas = [area for area in old.areas if area.pk not in mine]
        if not access.may_give_every_area(right):
            del self.fields["every_area"]
        for at in range(rows):
            self.fields[f"days_{at}"] = forms.TypedMultipleChoiceField(
                label=_("Days"), coerce=int, choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple
            )
            self.fields[f"from_{at}"] = forms.TimeField(label=_("From"), required=False, widget=TimeInput())
            self.fields[f"to_{at}"] = forms.TimeField(label=_("To"), required=False, widget=TimeInput())
        self._rows, self._old = rows, old
        self.now = self.values_of(old)
        self.shown = merging.from_text(str(self.data.get(merging.FIELD, "")), self.now) if self.is_bound else self.now

    def values_of(self, access: Access) -> dict[str, Any]:
        """As `merging` takes them."""
        return {
            "every_area": access.every_area,
            "areas": frozenset(area.pk for area in access.areas),
            "windows": sorted(access.windows),
        }

    @property
    def shown_text(self) -> str:
        """What the page shows, for the form to bring along."""
        return merging.as_text(self.shown)

    def rows(self) -> list[tuple[Any, Any, Any]]:
        """The fields of each own shift: days, from, to."""
        return [(self[f"days_{at}"], self[f"from_{at}"], self[f"to_{at}"]) for at in range(self._rows)]

    def clean(self) -> dict[str, Any]:
        """The windows that are wanted, merged with what somebody else has changed."""
        data = super().clean() or {}
        if not self.errors:
            wanted = self.wanted(data)
            if not self.errors:
                self._merge(wanted)
        return data

    def wanted(self, data: dict[str, Any]) -> dict[str, Any]:
        """What was posted, as `merging` takes it. Areas that are not this user's to give are as they were shown."""
        offered = {area.pk for area in self.fields["areas"].queryset}  # type: ignore[attr-defined]
        others = frozenset(self.shown.get("areas", ())) - offered
        wanted = {"areas": frozenset(area.pk for area in data["areas"]) | others, "windows": self._windows(data)}
        return wanted | ({"every_area": data["every_area"]} if "every_area" in data else {})

    def _merge(self, wanted: dict[str, Any]) -> None:
        self.merged = merging.merged(self.shown, wanted, self.now)
        if "windows" in self.merged.conflicts:
            self.add_error("hours", MEANWHILE % {"now": in_words(self.now["windows"])})
        for name in self.merged.conflicts:
            self.shown[name] = self.now[name]

    def _windows(self, data: dict[str, Any]) -> list[list[int]]:
        if data["hours"] != OWN:
            return windows_of(PRESETS[data["hours"]][1])
        shifts = []
        for at in range(self._rows):
            days, start, end = data[f"days_{at}"], data[f"from_{at}"], data[f"to_{at}"]
            if days and start is not None and end is not None:
                shifts.append(Shift(sum(days), start.hour * 60 + start.minute, end.hour * 60 + end.minute))
            elif days or start is not None or end is not None:
                self.add_error("hours", _("Each line needs days, from and to."))
        found = windows_of(shifts)
        if not shifts and not self.errors:
            self.add_error("hours", _("Say which days and hours."))
        if len(found) > WINDOWS_LIMIT:
            self.add_error("hours", _("Too many lines: a key can keep fourteen, and one over midnight counts as two."))
        return found

    def access(self) -> Access:
        """What it is to be now."""
        values = self.merged.values
        return replace(
            self._old,
            every_area=values["every_area"],
            areas=tuple(Area.objects.filter(pk__in=values["areas"])),
            windows=values["windows"],
        )


class AccessForm(OpensForm):
    """What somebody may open."""

    locks = forms.CharField(
        label=_("Single locks besides (numbers, with blanks between them)"), required=False, max_length=2000
    )
    field_order = ("every_area", "areas", "locks", "hours")

    def __init__(self, access: SiteAccess, permission: Permission, *args: Any, **kwargs: Any) -> None:
        old = access_of(permission)
        super().__init__(access, Right.CHANGE_ACCESS, old, *args, **kwargs)
        self.initial["locks"] = " ".join(str(lock.number) for lock in old.locks)
        self._access = access

    def values_of(self, access: Access) -> dict[str, Any]:
        """With single locks, by number."""
        return super().values_of(access) | {"locks": frozenset(lock.number for lock in access.locks)}

    def clean_locks(self) -> frozenset[int]:
        """Their numbers: locks of the site, and new ones only of what this user may give."""
        words = self.cleaned_data["locks"].replace(",", " ").split()
        numbers = frozenset(number for word in words if (number := number_in(word)) is not None)
        there = Lock.objects.filter(site=self._access.site)
        known = dict(there.filter(number__in=numbers).values_list("number", "pk"))
        mine = there.filter(area__in=self._access.areas(Right.CHANGE_ACCESS)) | there.filter(
            unit__in=self._access.units(Right.CHANGE_ACCESS)
        )
        given = {lock.number for lock in self._old.locks}
        allowed = set(mine.filter(number__in=numbers).values_list("number", flat=True)) | given
        wrong = [word for word in words if number_in(word) not in known or number_in(word) not in allowed]
        if wrong:
            raise forms.ValidationError(_("There is no such lock: %(numbers)s") % {"numbers": ", ".join(wrong)})
        if len(numbers) > NUMBERS_LIMIT:
            raise forms.ValidationError(_("Too many locks."))
        return numbers

    def wanted(self, data: dict[str, Any]) -> dict[str, Any]:
        """With single locks."""
        return super().wanted(data) | {"locks": data["locks"]}

    def access(self) -> Access:
        """With single locks."""
        locks = Lock.objects.filter(site=self._access.site, number__in=self.merged.values["locks"])
        return replace(super().access(), locks=tuple(locks))


class UnitForm(OpensForm):
    """What whoever is new in a unit may open."""

    def __init__(self, access: SiteAccess, unit: Unit, *args: Any, **kwargs: Any) -> None:
        super().__init__(access, Right.EDIT_UNIT, usual_access(unit), *args, **kwargs)


class ForATimeForm(forms.Form):
    """Areas until the end of a day: those of a unit that somebody covers, or some."""

    unit = forms.ModelChoiceField(
        Unit.objects.none(), label=_("Covers"), required=False, empty_label=_("no unit: the areas below")
    )
    areas = forms.ModelMultipleChoiceField(
        Area.objects.none(), label=_("Areas"), required=False, widget=forms.CheckboxSelectMultiple
    )
    until = forms.DateField(label=_("Until, that day included"), widget=DateInput)

    def __init__(self, access: SiteAccess, holder: Holder, *args: Any, **kwargs: Any) -> None:
        today = access.site.today()
        kwargs["initial"] = {"until": today + timedelta(days=SUNDAY - today.weekday())}
        super().__init__(*args, **kwargs)
        self._today = today
        units = access.units_beside(holder, Right.CHANGE_ACCESS)
        mine = access.areas(Right.CHANGE_ACCESS).values("pk")
        offered = Area.objects.filter(Q(pk__in=mine) | Q(unit__in=units), site=access.site)
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]
        self.fields["areas"].queryset = offered.distinct()  # type: ignore[attr-defined]

    def clean_until(self) -> date:
        """From today on, and not for ever."""
        until: date = self.cleaned_data["until"]
        if until < self._today:
            raise forms.ValidationError(_("That day is over."))
        if until > self._today + timedelta(days=FOR_A_TIME_DAYS):
            raise forms.ValidationError(_("Two months at most: who works there for longer moves to the unit."))
        return until

    def clean(self) -> dict[str, Any]:
        """Something has to be given."""
        data = super().clean() or {}
        if not self.errors and not self.given_areas():
            raise forms.ValidationError(_("Choose a unit that has usual areas, or areas."))
        return data

    def given_areas(self) -> list[Area]:
        """The areas, each once."""
        unit = self.cleaned_data["unit"]
        usual: list[Area] = []
        if unit is not None:
            every = Area.objects.filter(site=unit.site_id)
            usual = list(every if unit.usual_every_area else unit.usual_areas.all())
        return sorted({*usual, *self.cleaned_data["areas"]}, key=lambda area: area.number)
