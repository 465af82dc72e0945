"""Accounts that are there already: nobody has logged in to these, so their password is still that of who made them."""

from typing import Any

from django.conf import settings
from django.db import migrations


def mark(apps: Any, _schema: Any) -> None:
    """An operator's own account is not asked, as with those that are made from now on."""
    users = apps.get_model(settings.AUTH_USER_MODEL).objects.filter(last_login=None, is_superuser=False)
    to_change = apps.get_model("office", "PasswordToChange")
    to_change.objects.bulk_create([to_change(user=user) for user in users])


class Migration(migrations.Migration):
    """They choose one of their own."""

    dependencies = [("office", "0003_passwords_to_change")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
