"""Users of a site: who has which role. Only the site's own: what somebody is elsewhere is not shown and not touched."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.actions import users
from central.doors.table import ROLES_BY_OPERATOR, Right
from central.models import Membership
from central.office import seen
from central.office.forms import UserForm
from central.office.lists import Column, choice, page_of
from central.office.pages import NotDone, SiteRequest
from central.office.views.answers import go, once, show

NOT_OURS = gettext_lazy("This user is not of this site alone: ask the server's operator.")
TEXTS: dict[str, Any] = {
    "account_elsewhere": gettext_lazy("There is such a user, but not of this site: ask the server's operator."),
    "role_by_operator": gettext_lazy("The server's operator gives and takes this role."),
}


COLUMNS = (
    Column("user", gettext_lazy("User"), lambda row: row.username),
    Column("name", gettext_lazy("Name"), lambda row: f"{row.first_name} {row.last_name}".strip()),
)
STATUSES = ("active", "shut_out")


def listed(request: SiteRequest) -> HttpResponse:
    """Everybody with a role here; and a new one."""
    access = request.access
    form = UserForm(access, request.POST or None)
    if form.is_valid():
        told = form.cleaned_data
        try:
            given = users.give_role(told["username"], form.names(), told["role"], access.site, told["unit"])
        except ValidationError as error:
            code = getattr(error, "code", None)
            form.add_error(None, [TEXTS.get(code or "", message) for message in error.messages])
        else:
            messages.success(request, _("%(user)s has the role.") % {"user": given.member.user})
            if given.password is not None:
                title = _("Password of %(user)s, to be changed at once") % {"user": given.member.user}
                return once(request, title, given.password)
            return go(request, "users")
    here = Prefetch("memberships", Membership.objects.filter(site=access.site).select_related("unit"), to_attr="here")
    units = access.units(Right.MANAGE_USERS)
    chosen = choice(request, "users", COLUMNS, units=units, statuses=STATUSES, usual_sort="user")
    found = users.users_of(access.site)
    if chosen.unit is not None:
        there = Membership.objects.filter(site=access.site, unit__number=chosen.unit)
        found = found.filter(pk__in=there.values("user"))
    if chosen.status:
        found = found.filter(is_active=chosen.status == STATUSES[0])
    rows_ = found.order_by("pk").values_list("pk", "username", "first_name", "last_name", "is_active", named=True)
    page_ = page_of(request, chosen, rows_, found.prefetch_related(here))
    ours = set(users.kept_by(access.site).filter(pk__in=[user.pk for user in page_]).values_list("pk", flat=True))
    rows = [(user, user.pk in ours) for user in page_]
    seen.look([*page_, *(member for user in page_ for member in user.here)])
    return show(
        request,
        "users",
        form=form,
        page=page_,
        rows=rows,
        chosen=chosen,
        more_heads=(_("Roles"), _("Act")),
        by_operator=ROLES_BY_OPERATOR,
    )


def take_role(request: SiteRequest, pk: int) -> HttpResponse:
    """Take a role away."""
    member = get_object_or_404(Membership, pk=pk, site=request.access.site)
    if member.user == request.access.user:
        raise NotDone(_("Nobody changes their own roles."), "users")
    if member.role in ROLES_BY_OPERATOR:
        raise NotDone(_("The server's operator gives and takes this role."), "users")
    member.delete()
    return go(request, "users")


def password(request: SiteRequest, pk: int) -> HttpResponse:
    """A new password for a user of this site alone."""
    user: Any = get_object_or_404(users.users_of(request.access.site), pk=pk)
    if not users.kept_by(request.access.site).filter(pk=user.pk).exists():
        raise NotDone(str(NOT_OURS), "users")
    title = _("Password of %(user)s, to be changed at once") % {"user": user}
    return once(request, title, users.reset_password(user))


def shut(request: SiteRequest, pk: int) -> HttpResponse:
    """Shut somebody out who has left, or let them in again."""
    user: Any = get_object_or_404(users.users_of(request.access.site), pk=pk)
    if user == request.access.user or not users.kept_by(request.access.site).filter(pk=user.pk).exists():
        raise NotDone(str(NOT_OURS), "users")
    user.is_active = request.POST.get("shut") != "1"
    user.save(update_fields=["is_active"])
    return go(request, "users")
