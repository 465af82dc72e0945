"""Everybody's own password."""

from typing import Any

from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse_lazy

from central.office.models import PasswordToChange
from central.office.passwords import is_to_change


class PasswordPage(PasswordChangeView):
    """The one place where a password becomes its owner's own."""

    template_name = "office/password.html"
    success_url = reverse_lazy("office:start")

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Whether they have to."""
        return super().get_context_data(**context, must=is_to_change(self.request.user))

    def form_valid(self, form: Any) -> HttpResponse:
        """Whoever sets it anew meanwhile waits for this, or this for them: the last to be kept says whose it is."""
        with transaction.atomic():
            answer = super().form_valid(form)
            PasswordToChange.objects.filter(user=form.user).delete()
        return answer
