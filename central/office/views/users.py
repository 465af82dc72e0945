"""Users of a site: who has which role. Only the site's own: what somebody is elsewhere is not shown and not touched."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from central.actions import users
from central.models import Membership
from central.office.forms import UserForm
from central.office.pages import SiteRequest, page, post
from central.office.roles import Right
from central.office.views.answers import go, once, paged, show


@page(Right.MANAGE_USERS)
def listed(request: SiteRequest) -> HttpResponse:
    """Everybody with a role here; and a new one."""
    access = request.access
    form = UserForm(access, request.POST or None)
    if form.is_valid():
        told = form.cleaned_data
        try:
            given = users.give_role(told["username"], form.names(), told["role"], access.site, told["unit"])
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("%(user)s has the role.") % {"user": given.member.user})
            if given.password is not None:
                title = _("Password of %(user)s, to be changed at once") % {"user": given.member.user}
                return once(request, title, given.password)
            return go(request, "users")
    here = Prefetch("memberships", Membership.objects.filter(site=access.site).select_related("unit"), to_attr="here")
    page_ = paged(request, users.users_of(access.site).prefetch_related(here))
    rows = [(user, users.belongs_only_to(user, access.site)) for user in page_]
    return show(request, "users", form=form, page=page_, rows=rows)


@post(Right.MANAGE_USERS)
def take_role(request: SiteRequest, pk: int) -> HttpResponse:
    """Take a role away."""
    member = get_object_or_404(Membership, pk=pk, site=request.access.site)
    if member.user == request.access.user:
        messages.error(request, _("Nobody changes their own roles."))
    else:
        member.delete()
    return go(request, "users")


@post(Right.MANAGE_USERS)
def password(request: SiteRequest, pk: int) -> HttpResponse:
    """A new password for a user of this site alone."""
    user: Any = get_object_or_404(users.users_of(request.access.site), pk=pk)
    if not users.belongs_only_to(user, request.access.site):
        messages.error(request, _("This user is not of this site alone: ask the server's operator."))
        return go(request, "users")
    title = _("Password of %(user)s, to be changed at once") % {"user": user}
    return once(request, title, users.reset_password(user))


@post(Right.MANAGE_USERS)
def shut(request: SiteRequest, pk: int) -> HttpResponse:
    """Shut somebody out who has left, or let them in again."""
    user: Any = get_object_or_404(users.users_of(request.access.site), pk=pk)
    if user == request.access.user or not users.belongs_only_to(user, request.access.site):
        messages.error(request, _("This user is not of this site alone: ask the server's operator."))
        return go(request, "users")
    user.is_active = not user.is_active
    user.save(update_fields=["is_active"])
    return go(request, "users")
