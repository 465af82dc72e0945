"""What the stations' screens say in the site's own words, by language; with a preview in a small screen's lines."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _

from central.actions.site_texts import set_site_texts
from central.models import Site
from central.office.pages import SiteRequest
from central.office.site_texts_forms import (
    SCREEN_COLUMNS,
    SupportForms,
    TextsForm,
    on_screen,
    put_support_into,
    support_as_shown,
)
from central.office.views.answers import show

PREFIX = "support"


def edit(request: SiteRequest) -> HttpResponse:
    """The texts of one language: shown, tried in a small screen's lines, saved."""
    site = Site.objects.get(pk=request.access.site.pk)
    codes = [code for code, _name in settings.LANGUAGES]
    asked = request.GET.get("language", get_language() or "")
    language = asked if asked in codes else codes[0]
    form = TextsForm(site, language, request.POST or None)
    initial = support_as_shown(site, language)
    numbers = SupportForms(request.POST or None, initial=initial, prefix=PREFIX)
    if request.method == "POST" and all([form.is_valid(), numbers.is_valid()]) and "try" not in request.POST:
        try:
            form.put_into(site)
            put_support_into(site, numbers, language)
        except ValidationError:
            form.add_error(None, _("The stations would not take this."))
        else:
            set_site_texts(site)
            messages.success(request, _("Saved: stations hear of it within a minute."))
            answer: HttpResponse = redirect(f"{request.path}?language={language}")
            return answer
    if numbers.is_bound and not numbers.is_valid() and not form.errors:
        form.add_error(None, _("Look at the telephone numbers: something is missing or wrong there."))
    return show(
        request,
        "texts",
        form=form,
        numbers=numbers,
        language=language,
        languages=[(code, get_language_info(code)["name_local"].capitalize()) for code in codes],
        columns=SCREEN_COLUMNS,
        calls=[(each, on_screen(f"{each['text'].value()}: {each['phone'].value()}")) for each in numbers],
    )
