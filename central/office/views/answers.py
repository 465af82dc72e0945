"""How pages answer."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from central.office.desk import AtDesk
from central.office.models import Receipt


def show(request: AtDesk, template: str, **context: Any) -> HttpResponse:
    """A page of the office."""
    desk = request.desk
    return render(request, f"office/{template}.html", {"desk": desk, "site": desk.site, "may": desk.acts, **context})


def go(request: AtDesk, name: str, **where: Any) -> HttpResponse:
    """To another page of the same site."""
    answer: HttpResponse = redirect(f"office:{name}", site=request.desk.site.number, **where)
    return answer


def slip(request: AtDesk, receipt: Receipt, *, pin: str | None = None, code: str | None = None) -> HttpResponse:
    """The printable slip, with what is shown once: rendered by the post itself, nothing secret is kept for later."""
    response = show(request, "slip", receipt=receipt, pin=pin, code=code, fresh=True)
    response["Cache-Control"] = "no-store"
    return response


def once(request: AtDesk, title: str, code: str) -> HttpResponse:
    """A one-time code, shown once."""
    response = show(request, "once", title=title, code=code)
    response["Cache-Control"] = "no-store"
    return response
