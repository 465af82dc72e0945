"""Staff and locks from a CSV file: first what it would change, then the change."""

import hashlib
from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.actions.csv_import import Verdict, apply, plan
from central.office.forms import ImportForm
from central.office.pages import SiteRequest
from central.office.views.answers import go, show

PROBLEMS: dict[str, Any] = {
    "columns": gettext_lazy("the first line must name these columns"),
    "too_many_lines": gettext_lazy("too many lines; the rest was not read"),
    "not_csv": gettext_lazy("not CSV from here on"),
    "cells": gettext_lazy("another number of cells than columns"),
    "twice": gettext_lazy("this number is on an earlier line"),
    "number": gettext_lazy("not a number from 1 to 4294967295"),
    "identity_number": gettext_lazy("this could be a personal identity number: those belong on no key; take your own"),
    "given_name": gettext_lazy("no first name, a too long one, or one that no screen can show"),
    "family_name": gettext_lazy("no family name, a too long one, or one that no screen can show"),
    "category": gettext_lazy("category is permanent, long_term or hourly"),
    "category_change": gettext_lazy("to or from hourly is not done by import"),
    "has_left": gettext_lazy("has left, on this day: a later employment_begins employs them again"),
    "forgotten": gettext_lazy("somebody who has left and been forgotten had this number: take a new one"),
    "unit": gettext_lazy("there is no such unit"),
    "area": gettext_lazy("there is no such area"),
    "date": gettext_lazy("not a date like 2030-12-31"),
    "test_lock": gettext_lazy("lock 1 is every station's test lock"),
}


FIELDS: dict[str, Any] = {
    "given_name": gettext_lazy("First name"),
    "family_name": gettext_lazy("Family name"),
    "category": gettext_lazy("Employment"),
    "unit": gettext_lazy("Unit"),
    "employment_begins": gettext_lazy("First day at work"),
    "employment_ends": gettext_lazy("Last day at work"),
    "area": gettext_lazy("Area"),
    "status": gettext_lazy("Status"),
    "areas": gettext_lazy("Areas"),
    "key": gettext_lazy("Key"),
    "substitute_keys": gettext_lazy("Substitute keys of"),
}
"""What changes, in words."""


def import_file(request: SiteRequest) -> HttpResponse:
    """A dry run, and on the second post the change: if it still is what was shown, which ``apply`` stands for."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if not form.is_valid():
        return show(request, "import", form=form)
    kind, text = form.cleaned_data["kind"], form.cleaned_data["text"]
    lines = plan(request.access.site, kind, text, request.access.name)
    shown = hashlib.sha256(repr(lines).encode("utf-8", "surrogatepass")).hexdigest()
    if request.POST.get("apply") == shown:
        done = apply(request.access.site, lines)
        left_out = len(lines) - done - sum(line.verdict == Verdict.SAME for line in lines)
        said = _("%(done)s lines applied, %(wrong)s left out.") % {"done": done, "wrong": left_out}
        messages.success(request, said)
        return go(request, "import")
    if "apply" in request.POST:
        messages.warning(request, _("Not done: something has changed since. This is what it would change now."))
    counts = Counter(line.verdict.value for line in lines)
    rows = [
        (line, PROBLEMS.get(line.problem, ""), [(FIELDS[name], old, new) for name, old, new in line.changes])
        for line in lines
    ]
    return show(request, "import", form=form, rows=rows, counts=dict(counts), kind=kind, text=text, shown=shown)
