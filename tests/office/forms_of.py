"""The forms of a page as a browser sees them, filled in as somebody would."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin

from django.core.files.uploadedfile import SimpleUploadedFile

STAFF = "number,given_name,family_name,category,unit,employment_ends\n1043,Asta,Aronia,permanent,1,\n"
FILL = {
    "given_name": "Åsa", "family_name": "Dubbel {page}", "username": "ny.person.{site}", "number": "101",
    "note": "dark screen", "reason": "Complaint 77", "last_day": "2040-01-31", "name": "Ny entré", "first_name": "Ny",
    "last_name": "Person", "q": "Eva Exempel 1", "support-0-text": "Jour", "support-0-phone": "031-000 00 00",
    "support-0-begins": "08:00", "support-0-ends": "16:00",
}  # fmt: skip
"""For fields that are empty; others stay so."""


@dataclass
class Form:
    """Where it leads, what it carries, and whether it is one of those that shut somebody out."""

    method: str
    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    chosen: set[str] = field(default_factory=set)
    button: tuple[str, str] | None = None
    is_dangerous: bool = False

    @property
    def says_what_it_has_seen(self) -> bool:
        """Whether it tells of what it is about how it was shown: so that what changes meanwhile is seen."""
        return any(self.fields.get(name, [""])[0] for name in ("seen", "shown"))

    def data(self) -> dict[str, Any]:
        """What a browser sends."""
        told: dict[str, Any] = dict(self.fields)
        if self.button and self.button[0]:
            told[self.button[0]] = [self.button[1]]
        return told | {name: SimpleUploadedFile("staff.csv", STAFF.encode()) for name in self.files}


class Page(HTMLParser):
    """Links, and forms below ``main``: those that take something back, which a message offers once, apart."""

    def __init__(self, text: str, path: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.undos: list[Form] = []
        self._path, self._select, self._is_main = path, "", False
        self._form: Form | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """HTMLParser's protocol."""
        told = {name: value or "" for name, value in attrs}
        self._is_main = self._is_main or tag == "main"
        if tag == "a" and told.get("href", "").startswith("/office/"):
            self.links.append(told["href"])
        elif tag == "form" and self._is_main:
            action = urldefrag(urljoin(self._path, told.get("action", ""))).url
            self._form = Form(told.get("method", "get"), action)
            (self.undos if "/undo/" in action else self.forms).append(self._form)
        elif self._form is not None:
            self._field(self._form, tag, told)

    def handle_endtag(self, tag: str) -> None:
        """HTMLParser's protocol."""
        self._form = None if tag == "form" else self._form

    def _field(self, form: Form, tag: str, told: dict[str, str]) -> None:
        name, kind, value = told.get("name", ""), told.get("type", "text"), told.get("value", "")
        if tag == "button":
            form.button = form.button or (name, value)
            form.is_dangerous = form.is_dangerous or "danger" in told.get("class", "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and value and ("selected" in told or not form.fields.get(self._select)):
            form.fields[self._select] = [value]
        elif tag == "input" and name and name != "csrfmiddlewaretoken":
            if kind == "file":
                form.files.append(name)
            elif kind == "checkbox":
                form.fields.setdefault(name, [value])
            elif kind == "radio":
                # What is chosen already; else the last choice: at once.
                if name not in form.chosen:
                    form.fields[name] = [value]
                if "checked" in told:
                    form.chosen.add(name)
            else:
                where = self._path.split("/")
                form.fields.setdefault(name, []).append(
                    value or FILL.get(name, "").format(site=where[2], page=where[-2])
                )
        elif tag == "textarea" and name:
            form.fields[name] = [FILL.get(name, "Text")]
