"""Where the office's pages are. Each has a line in `central.doors.table`; those of a site do not start without one."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.i18n import set_language

from central.office.pages import of_site
from central.office.passwords import PasswordPage
from central.office.undo import undo_it
from central.office.views import access, csv_import, employment, keys, locks, people, stations, today, units, users

app_name = "office"
urlpatterns = [
    path("", today.start, name="start"),
    path("login/", LoginView.as_view(template_name="office/login.html"), name="login"),
    path("logout/", LogoutView.as_view(next_page="office:login"), name="logout"),
    path("password/", PasswordPage.as_view(), name="password"),
    path("language/", set_language, name="language"),
    path("<int:site>/", today.home, name="home"),
    of_site("today/", today.today, "today"),
    of_site("tasks/<int:pk>/done/", today.task_done, "task_done"),
    of_site("tasks/<int:pk>/confirm/", today.task_confirm, "task_confirm"),
    of_site("tasks/<int:pk>/anew/", today.task_anew, "task_anew"),
    of_site("receipts/<int:pk>/", today.receipt, "receipt"),
    of_site("receipts/<int:pk>/sign/", today.sign, "sign"),
    of_site("pools/", today.pool, "pools"),
    of_site("undo/<int:pk>/", undo_it, "undo"),
    of_site("people/", people.listed, "people"),
    of_site("people/employee/", people.employee, "employee"),
    of_site("people/hourly/", people.hourly, "hourly"),
    of_site("people/<int:number>/", people.one, "person"),
    of_site("people/<int:number>/pin/", people.pin, "pin"),
    of_site("people/<int:number>/units/", people.pools, "person_units"),
    of_site("people/<int:number>/key/", people.new_key, "new_key"),
    of_site("people/<int:number>/end/", people.end, "end"),
    of_site("people/<int:number>/edit/", employment.edit, "edit_person"),
    of_site("people/<int:number>/move/", employment.move, "move_person"),
    of_site("people/<int:number>/again/", employment.again, "employ_again"),
    of_site("people/<int:number>/access/", access.change, "access"),
    of_site("people/<int:number>/for-a-time/", access.for_a_time, "for_a_time"),
    of_site("people/<int:number>/for-a-time/end/", access.end_for_a_time, "for_a_time_end"),
    of_site("people/<int:number>/take-areas/", access.take_back, "take_areas"),
    of_site("units/", units.listed, "units"),
    of_site("units/<int:number>/", units.one, "unit"),
    of_site("keys/", keys.listed, "keys"),
    of_site("keys/<int:number>/", keys.one, "key"),
    of_site("keys/<int:number>/trail/", keys.trail, "trail"),
    of_site("keys/<int:number>/block/", keys.block, "block"),
    of_site("keys/<int:number>/unlock/", keys.unlock, "unlock"),
    of_site("keys/<int:number>/take-back/", keys.take_back, "take_back"),
    of_site("keys/<int:number>/code/", keys.code, "key_code"),
    of_site("keys/<int:number>/broken/", keys.broken, "broken"),
    of_site("locks/", locks.who_may_open, "lock"),
    of_site("log/", locks.log, "log"),
    of_site("stations/", stations.listed, "stations"),
    of_site("stations/new/", stations.new, "new_station"),
    of_site("stations/<int:number>/", stations.one, "station"),
    of_site("stations/<int:number>/code/", stations.code, "station_code"),
    of_site("stations/<int:number>/out-of-order/", stations.out_of_order, "out_of_order"),
    of_site("stations/<int:number>/in-order/", stations.in_order, "in_order"),
    of_site("stations/<int:number>/revoke/", stations.revoke, "revoke"),
    of_site("pins/", people.pins_overview, "pins"),
    of_site("pins/begin/", people.pins_start, "pins_begin"),
    of_site("pins/renew/", people.pins_renew, "pins_renew"),
    of_site("users/", users.listed, "users"),
    of_site("users/roles/<int:pk>/take/", users.take_role, "take_role"),
    of_site("users/<int:pk>/password/", users.password, "user_password"),
    of_site("users/<int:pk>/shut/", users.shut, "user_shut"),
    of_site("import/", csv_import.import_file, "import"),
]
