"""Where requests go: the stations' API, the office's pages, the admin page, and a health check for proxies."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import include, path
from django.views.generic import RedirectView

from central.api.application import api


def health(_request: HttpRequest) -> JsonResponse:
    """Say that the server answers: the API's health check, at the top level."""
    return JsonResponse({"status": "ok"})


def front(_request: HttpRequest) -> HttpResponse:
    """Lead people to the office."""
    return redirect("office:start")


handler500 = "central.doors.faults.server_error"

urlpatterns = [
    path("", front, name="front"),
    path("healthz", health, name="healthz"),
    path("api/v1/", api.urls),
    path("office/", include("central.office.urls")),
    # One door for names and passwords; and everybody's own password is changed on one page.
    path("admin/login/", RedirectView.as_view(pattern_name="office:login", query_string=True), name="admin_login"),
    path(
        "admin/password_change/",
        RedirectView.as_view(pattern_name="office:password"),
        name="admin_password_change",
    ),
    path("admin/", admin.site.urls),
]
