"""When stations heard of a block; receipts are found by their time."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """One table more."""

    dependencies = [
        ("central", "0003_what_stations_tell"),
        ("office", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="BlockReached",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.BigIntegerField()),
            ],
        ),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(fields=["site", "made_at"], name="receipts_by_time"),
        ),
        migrations.AddField(
            model_name="blockreached",
            name="block",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="reached", to="office.block"
            ),
        ),
        migrations.AddField(
            model_name="blockreached",
            name="station",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.station"),
        ),
        migrations.AddConstraint(
            model_name="blockreached",
            constraint=models.UniqueConstraint(fields=("block", "station"), name="a_station_hears_once"),
        ),
    ]
