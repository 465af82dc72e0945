"""What the admin pages of this project have in common."""

from typing import Any

from auditlog.mixins import AuditlogHistoryAdminMixin
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from central.feed import change
from central.issuing.blocklists import BlocklistFull


class ChangeAdmin(AuditlogHistoryAdminMixin, admin.ModelAdmin):  # type: ignore[misc,type-arg]
    """Every request that may write is one change: its revisions are given at its end."""

    numbered = True
    show_full_result_count = False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Django's view, in a change."""
        return self._in_change(super().changeform_view, request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Django's view (actions are posted to it), in a change."""
        return self._in_change(super().changelist_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Django's view, in a change."""
        return self._in_change(super().delete_view, request, *args, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """Site and number are what records, keys and locks out there know: they never change."""
        fixed = ["site", "number"] if obj is not None and self.numbered else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def _in_change(self, view: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        try:
            with change():
                response = view(request, *args, **kwargs)
                # Rendered inside: a lazy template would ask the database when the transaction is over.
                if isinstance(response, TemplateResponse):
                    response.render()
                return response
        except BlocklistFull as error:
            list(messages.get_messages(request))  # what was done has been undone
            self.message_user(request, f"Nothing is changed: {error}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


def shown_once(request: HttpRequest, title: str, rows: list[tuple[str, str]]) -> HttpResponse:
    """A page with secrets that are never shown again. Not a message: those are kept in a cookie until they are read."""
    response = TemplateResponse(request, "admin/central/shown_once.html", {"title": title, "rows": rows})
    response["Cache-Control"] = "no-store"
    return response
