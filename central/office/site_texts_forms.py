"""The forms of the site's own words on its stations' screens: help, privacy, whom to call."""

import textwrap
from datetime import time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from central.models import Site
from central.models.site_texts import (
    SUPPORT_LIMIT,
    TEXT_LIMIT_CHARACTERS,
    check_help,
    check_support,
    check_texts,
)
from central.office.views.answers import number_in

SCREEN_COLUMNS = 40
"""Of the smallest screen that a station has."""
TOPICS = {
    "wake": _("The key does not wake"),
    "contact": _("No contact in the station"),
    "key_red": _("The key's lamp is red"),
    "green_stuck": _("Green, but it does not open"),
    "frozen": _("The key box is frozen"),
    "lost": _("Key lost or broken"),
    "pin": _("PIN wrong or forgotten"),
    "station_dead": _("This station is dead"),
    "all_dead": _("All stations are dead"),
    "wear": _("Take care of the key"),
    "logged": _("What is logged, and who sees it"),
}
"""What a station has help on, as it calls it there."""
DAYS = [
    (1, _("Monday")), (2, _("Tuesday")), (4, _("Wednesday")), (8, _("Thursday")), (16, _("Friday")),
    (32, _("Saturday")), (64, _("Sunday")),
]  # fmt: skip
MINUTES_AN_HOUR, MINUTES_A_DAY = 60, 24 * 60


def on_screen(text: str) -> str:
    """A text in the lines of a small screen."""
    return "\n".join(line for part in text.splitlines() for line in textwrap.wrap(part, SCREEN_COLUMNS) or [""])


class TextsForm(forms.Form):
    """The texts in one language. What is empty is said in the program's own words, or not at all."""

    def __init__(self, site: Site, language: str, data: Any = None) -> None:
        self.language = language
        own = site.help_texts.get(language, {})
        start = {_field(topic): own.get(topic, "") for topic in TOPICS} | {
            "privacy": site.privacy_notice.get(language, "")
        }
        super().__init__(data, initial=start)
        for name, label in ((_field(topic), text) for topic, text in TOPICS.items()):
            self.fields[name] = _text(label, language)
        self.fields["privacy"] = _text(_("Privacy notice"), language)

    def clean(self) -> dict[str, Any]:
        """As the mirror takes it: the model's own check, with the field where it stands."""
        data = super().clean() or {}
        for name, text in list(data.items()):
            data[name] = "\n".join(text.splitlines())
            try:
                check_texts({self.language: data[name]})
                ok = data[name].replace("\n", "").isprintable()
            except ValidationError:
                ok = False
            if not ok:
                self.add_error(name, _("There are characters in it that no screen can show."))
        return data

    def put_into(self, site: Site) -> None:
        """Take over what is said, into the site's fields. Raises ValidationError for what stations would not take."""
        data = self.cleaned_data
        own = {topic: data[_field(topic)] for topic in TOPICS if data[_field(topic)].strip()}
        site.help_texts = _with(site.help_texts, self.language, own)
        site.privacy_notice = _with(site.privacy_notice, self.language, data["privacy"].strip())
        check_help(site.help_texts)
        check_texts(site.privacy_notice)

    def rows(self) -> list[tuple[Any, str]]:
        """Each field, and how a screen shows what stands in it."""
        return [(self[name], on_screen(str(self[name].value() or ""))) for name in self.fields]


class SupportForm(forms.Form):
    """Whom to call at some hours of some days; the words in one language."""

    days = forms.TypedMultipleChoiceField(
        label=_("Days"), coerce=int, choices=DAYS, widget=forms.CheckboxSelectMultiple
    )
    begins = forms.TimeField(label=_("From"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    ends = forms.TimeField(
        label=_("To (00:00: midnight)"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    holidays = forms.BooleanField(label=_("On public holidays too"), required=False)
    phone = forms.RegexField(
        r"^\+?[0-9 -]{2,30}$", label=_("Telephone"), strip=True,
        error_messages={"invalid": _("A telephone number has digits, blanks and dashes.")},
    )  # fmt: skip
    text = forms.CharField(label=_("Who answers"), max_length=200)
    before = forms.CharField(widget=forms.HiddenInput, required=False)
    """Which of the site's entries it is: its words in other languages stay."""

    def clean_text(self) -> str:
        """As screens can show it."""
        text = str(self.cleaned_data["text"])
        if not text.isprintable():
            raise ValidationError(_("There are characters in it that no screen can show."))
        return text

    def clean(self) -> dict[str, Any]:
        """Hours the wrong way round would be nobody's."""
        data = super().clean() or {}
        if (
            data.get("begins") is not None
            and data.get("ends") is not None
            and _end(data["ends"]) <= _minute(data["begins"])
        ):
            self.add_error("ends", _("It ends before it begins. Hours over midnight are two lines."))
        return data

    def entry(self, language: str, before: list[dict[str, Any]]) -> dict[str, Any]:
        """As stations have it."""
        data = self.cleaned_data
        at = number_in(data["before"])
        there = before[at]["text"] if at is not None and at < len(before) else {}
        return {
            "days": sum(data["days"]),
            "from": _minute(data["begins"]),
            "to": _end(data["ends"]),
            "holidays": data["holidays"],
            "phone": data["phone"],
            "text": there | {language: data["text"]},
        }


SupportForms = forms.formset_factory(
    SupportForm, extra=1, max_num=SUPPORT_LIMIT, validate_max=True, absolute_max=SUPPORT_LIMIT + 1, can_delete=True
)


def support_as_shown(site: Site, language: str) -> list[dict[str, Any]]:
    """The site's entries, as `SupportForms` begins with them."""
    return [
        {
            "days": [bit for bit, _name in DAYS if entry["days"] & bit],
            "begins": _time(entry["from"]),
            "ends": _time(entry["to"]),
            "holidays": entry["holidays"],
            "phone": entry["phone"],
            "text": entry["text"].get(language, ""),
            "before": str(at),
        }
        for at, entry in enumerate(site.support)
    ]


def put_support_into(site: Site, said: Any, language: str) -> None:
    """Take the entries over that are not to be deleted. Raises ValidationError for what stations would not take."""
    kept = [form for form in said.forms if form.has_changed() or form.initial]
    kept = [form for form in kept if not form.cleaned_data.get("DELETE")]
    site.support = [form.entry(language, site.support) for form in kept]
    check_support(site.support)


def _text(label: Any, language: str) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 4, "cols": SCREEN_COLUMNS, "lang": language})
    return forms.CharField(label=label, required=False, max_length=TEXT_LIMIT_CHARACTERS, widget=area)


def _field(topic: str) -> str:
    return f"help_{topic}"


def _with(texts: dict[str, Any], language: str, said: Any) -> dict[str, Any]:
    """The texts with that of one language replaced; without it where nothing is said."""
    others = {name: text for name, text in texts.items() if name != language}
    return others | ({language: said} if said else {})


def _minute(at: time) -> int:
    return at.hour * MINUTES_AN_HOUR + at.minute


def _end(at: time) -> int:
    return _minute(at) or MINUTES_A_DAY


def _time(minute: int) -> time:
    return time(minute // MINUTES_AN_HOUR % 24, minute % MINUTES_AN_HOUR)
