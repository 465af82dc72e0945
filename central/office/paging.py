"""Long lists, a page at a time: ``{% include "office/pager.html" with page=… %}`` below the list."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest

ROWS = 100


def paged(request: HttpRequest, rows: Any, name: str = "page", per_page: int = ROWS) -> "Page[Any]":
    """The page of ``rows`` that the address asks for with ``name``; the nearest one when there is no such page."""
    page = Paginator(rows, per_page).get_page(request.GET.get(name))
    page.name = name  # type: ignore[attr-defined]
    return page
