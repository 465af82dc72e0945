"""Where the office's pages are. Below a site, every one is a `page` or a `post`."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.i18n import set_language

from central.office.passwords import PasswordPage
from central.office.views import csv_import, keys, locks, people, stations, today, users

app_name = "office"
urlpatterns = [
    path("", today.start, name="start"),
    path("login/", LoginView.as_view(template_name="office/login.html"), name="login"),
    path("logout/", LogoutView.as_view(next_page="office:login"), name="logout"),
    path("password/", PasswordPage.as_view(), name="password"),
    path("language/", set_language, name="language"),
    path("<int:site>/", today.home, name="home"),
    path("<int:site>/today/", today.today, name="today"),
    path("<int:site>/tasks/<int:pk>/done/", today.task_done, name="task_done"),
    path("<int:site>/receipts/<int:pk>/", today.receipt, name="receipt"),
    path("<int:site>/receipts/<int:pk>/sign/", today.sign, name="sign"),
    path("<int:site>/pools/", today.pool, name="pools"),
    path("<int:site>/people/", people.listed, name="people"),
    path("<int:site>/people/employee/", people.employee, name="employee"),
    path("<int:site>/people/hourly/", people.hourly, name="hourly"),
    path("<int:site>/people/<int:number>/", people.one, name="person"),
    path("<int:site>/people/<int:number>/pin/", people.pin, name="pin"),
    path("<int:site>/people/<int:number>/units/", people.pools, name="person_units"),
    path("<int:site>/people/<int:number>/key/", people.new_key, name="new_key"),
    path("<int:site>/people/<int:number>/end/", people.end, name="end"),
    path("<int:site>/keys/", keys.listed, name="keys"),
    path("<int:site>/keys/<int:number>/", keys.one, name="key"),
    path("<int:site>/keys/<int:number>/trail/", keys.trail, name="trail"),
    path("<int:site>/keys/<int:number>/block/", keys.block, name="block"),
    path("<int:site>/keys/<int:number>/unlock/", keys.unlock, name="unlock"),
    path("<int:site>/keys/<int:number>/take-back/", keys.take_back, name="take_back"),
    path("<int:site>/keys/<int:number>/code/", keys.code, name="key_code"),
    path("<int:site>/keys/<int:number>/broken/", keys.broken, name="broken"),
    path("<int:site>/locks/", locks.who_may_open, name="lock"),
    path("<int:site>/log/", locks.log, name="log"),
    path("<int:site>/stations/", stations.listed, name="stations"),
    path("<int:site>/stations/new/", stations.new, name="new_station"),
    path("<int:site>/stations/<int:number>/", stations.one, name="station"),
    path("<int:site>/stations/<int:number>/code/", stations.code, name="station_code"),
    path("<int:site>/stations/<int:number>/out-of-order/", stations.out_of_order, name="out_of_order"),
    path("<int:site>/stations/<int:number>/in-order/", stations.in_order, name="in_order"),
    path("<int:site>/stations/<int:number>/revoke/", stations.revoke, name="revoke"),
    path("<int:site>/pins/", people.pins_overview, name="pins"),
    path("<int:site>/pins/begin/", people.pins_start, name="pins_begin"),
    path("<int:site>/pins/renew/", people.pins_renew, name="pins_renew"),
    path("<int:site>/users/", users.listed, name="users"),
    path("<int:site>/users/roles/<int:pk>/take/", users.take_role, name="take_role"),
    path("<int:site>/users/<int:pk>/password/", users.password, name="user_password"),
    path("<int:site>/users/<int:pk>/shut/", users.shut, name="user_shut"),
    path("<int:site>/import/", csv_import.import_file, name="import"),
]
