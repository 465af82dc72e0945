"""Users of a site: who has which role. Only the site's own: what somebody is elsewhere is not shown and not touched."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from central.acts import users
from central.office.desk import AtDesk, deed, page
from central.office.forms import UserForm
from central.office.models import Membership
from central.office.paging import paged
from central.office.roles import Act
from central.office.views.answers import go, once, show


@page(Act.MANAGE_USERS)
def listed(request: AtDesk) -> HttpResponse:
    """Everybody with a role here; and a new one."""
    desk = request.desk
    form = UserForm(desk, request.POST or None)
    if form.is_valid():
        told = form.cleaned_data
        try:
            seated = users.seat(told["username"], form.names(), told["role"], desk.site, told["unit"])
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("%(user)s has the role.") % {"user": seated.member.user})
            if seated.password is not None:
                title = _("Password of %(user)s, to be changed at once") % {"user": seated.member.user}
                return once(request, title, seated.password)
            return go(request, "users")
    here = Prefetch("memberships", Membership.objects.filter(site=desk.site).select_related("unit"), to_attr="here")
    page_ = paged(request, users.users_of(desk.site).prefetch_related(here))
    rows = [(user, users.is_only_of(user, desk.site)) for user in page_]
    return show(request, "users", form=form, page=page_, rows=rows)


@deed(Act.MANAGE_USERS)
def unseat(request: AtDesk, pk: int) -> HttpResponse:
    """Take a role away."""
    member = get_object_or_404(Membership, pk=pk, site=request.desk.site)
    if member.user == request.desk.user:
        messages.error(request, _("Nobody changes their own roles."))
    else:
        member.delete()
    return go(request, "users")


@deed(Act.MANAGE_USERS)
def password(request: AtDesk, pk: int) -> HttpResponse:
    """A new password for a user of this site alone."""
    user: Any = get_object_or_404(users.users_of(request.desk.site), pk=pk)
    if not users.is_only_of(user, request.desk.site):
        messages.error(request, _("This user is not of this site alone: ask the server's operator."))
        return go(request, "users")
    title = _("Password of %(user)s, to be changed at once") % {"user": user}
    return once(request, title, users.new_password(user))


@deed(Act.MANAGE_USERS)
def shut(request: AtDesk, pk: int) -> HttpResponse:
    """Somebody has left: no log-in any more, or again."""
    user: Any = get_object_or_404(users.users_of(request.desk.site), pk=pk)
    if user == request.desk.user or not users.is_only_of(user, request.desk.site):
        messages.error(request, _("This user is not of this site alone: ask the server's operator."))
        return go(request, "users")
    user.is_active = not user.is_active
    user.save(update_fields=["is_active"])
    return go(request, "users")
