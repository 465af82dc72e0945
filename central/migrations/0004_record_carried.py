"""Which record each key carries."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("central", "0003_what_stations_tell"),
    ]

    operations = [
        migrations.AddField(
            model_name="key",
            name="record_carried",
            field=models.BigIntegerField(editable=False, null=True),
        ),
    ]
