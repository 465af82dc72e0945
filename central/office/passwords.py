"""A password is its owner's own once they have chosen it on the password page.

Whoever has one that somebody else set (a site administrator, an operator, a command) gets to that page and no other.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from central.doors.passwords import is_guessable, own_words, site_words
from central.models import PasswordToChange

OPEN = frozenset({"office:password", "office:language", "office:login", "office:logout"})
"""The pages for those who still have to choose. Every other one, the admin's too, leads to the first of these."""


def must_change_password(user: Any) -> bool:
    """Whether somebody else may know the password of this account."""
    return PasswordToChange.objects.filter(user=user.pk).exists()


class NoGuessablePassword:
    """Django asks it about each new password (``AUTH_PASSWORD_VALIDATORS``)."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        if is_guessable(password, [*site_words(user), *own_words(user)]):
            raise ValidationError(self.get_help_text(), code="password_guessable")

    def get_help_text(self) -> str:
        """Django's protocol."""
        return _("Your password can't be made of seasons, years, names of this site and the like: add other words.")


class OwnPassword:
    """Django asks it about each new password (``AUTH_PASSWORD_VALIDATORS``), and tells it of each that is kept."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError for the password that the account has already."""
        if user is not None and user.check_password(password):
            raise ValidationError(self.get_help_text(), code="password_unchanged")

    def get_help_text(self) -> str:
        """Django's protocol."""
        return _("Your password can't be the one that you have now.")

    def password_changed(self, _password: str, user: Any = None) -> None:
        """Whoever set it knows it: the password page takes this back, for it is the owner's.

        An operator makes their own account at the server's shell (``createsuperuser``): Django does not tell of that.
        """
        if user is not None:
            PasswordToChange.objects.get_or_create(user=user)


class OwnPasswordMiddleware:
    """Lets nobody read or do anything with a password that somebody else may know. After Django's authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Django's protocol."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponseBase | None:
        """Send whoever must change a password to that page, before any view: what is posted is not done either."""
        where = request.resolver_match
        if not request.user.is_authenticated or (where is not None and where.view_name in OPEN):
            return None
        return redirect("office:password") if must_change_password(request.user) else None


class PasswordPage(PasswordChangeView):
    """The one place where a password becomes its owner's own."""

    template_name = "office/password.html"
    success_url = reverse_lazy("office:start")

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Tell the page whether they have to."""
        return super().get_context_data(**context, must=must_change_password(self.request.user))

    def form_valid(self, form: Any) -> HttpResponse:
        """Whoever sets it anew meanwhile waits for this, or this for them: the last to be kept says whose it is."""
        with transaction.atomic():
            answer = super().form_valid(form)
            PasswordToChange.objects.filter(user=form.user).delete()
        return answer
