"""How pages answer, and what they make of what was asked."""

from datetime import date
from typing import Any

from django.core.paginator import Page, Paginator
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from central.models import Receipt
from central.office.pages import SiteRequest

UNPROCESSABLE = 422
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)
"""Whatever days somebody types: what clocks can say."""


def show(request: SiteRequest, template: str, **context: Any) -> HttpResponse:
    """A page of the office."""
    access = request.access
    common = {"access": access, "site": access.site, "may": access.rights}
    form = context.get("form")
    # A form with errors has not been taken, and may be sent again (`central.office.once`).
    status = UNPROCESSABLE if isinstance(form, BaseForm) and form.is_bound and form.errors else 200
    return render(request, f"office/{template}.html", common | context, status=status)


def go(request: SiteRequest, name: str, **where: Any) -> HttpResponse:
    """To another page of the same site."""
    answer: HttpResponse = redirect(f"office:{name}", site=request.access.site.number, **where)
    return answer


def slip(request: SiteRequest, receipt: Receipt, *, pin: str | None = None, code: str | None = None) -> HttpResponse:
    """The printable slip, with what is shown once: rendered by the post itself, nothing secret is kept for later."""
    response = show(request, "slip", receipt=receipt, pin=pin, code=code, fresh=True)
    response["Cache-Control"] = "no-store"
    return response


def once(request: SiteRequest, title: str, code: str) -> HttpResponse:
    """A one-time code, shown once."""
    response = show(request, "once", title=title, code=code)
    response["Cache-Control"] = "no-store"
    return response


ROWS = 100


def paged(request: HttpRequest, rows: Any, name: str = "page", per_page: int = ROWS) -> "Page[Any]":
    """The page of ``rows`` that the address asks for with ``name``; the nearest one when there is no such page."""
    page = Paginator(rows, per_page).get_page(request.GET.get(name))
    page.name = name  # type: ignore[attr-defined]
    return page


DIGITS_LIMIT = 18
"""Fits into 63 bits: a database takes it, and Python reads no text of ten thousand digits for it."""


def number_in(text: str) -> int | None:
    """The whole number that the text is; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS_LIMIT else None


def day_in(text: str) -> date | None:
    """The day that the text is (``2030-12-31``), within what clocks can say; None for any other text."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None
