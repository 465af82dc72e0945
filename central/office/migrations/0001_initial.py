"""The office's own tables."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes them."""

    initial = True

    dependencies = [
        ("central", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OutOfOrder",
            fields=[
                (
                    "station",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="out_of_order",
                        serialize=False,
                        to="central.station",
                    ),
                ),
                ("since", models.BigIntegerField()),
                ("by", models.CharField(blank=True, max_length=150)),
                ("note", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="LookUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.BigIntegerField()),
                ("about", models.CharField(choices=[("lock", "Lock"), ("holder", "Holder")], max_length=8)),
                ("number", models.BigIntegerField()),
                ("since", models.BigIntegerField()),
                ("until", models.BigIntegerField()),
                ("reason", models.CharField(max_length=300)),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "ordering": ["-at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("handed_out", "Handed Out"),
                            ("returned", "Returned"),
                            ("lent", "Lent"),
                            ("pin", "Pin"),
                        ],
                        max_length=12,
                    ),
                ),
                ("made_at", models.BigIntegerField()),
                ("made_by", models.CharField(max_length=150)),
                ("signed_at", models.BigIntegerField(default=None, null=True)),
                ("signed_by", models.CharField(blank=True, max_length=150)),
                ("holder", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="central.holder")),
                ("key", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="central.key")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                ("unit", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="central.unit")),
            ],
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("new_key", "New Key"), ("collect_key", "Collect Key"), ("renew_pins", "Renew Pins")],
                        max_length=12,
                    ),
                ),
                ("due", models.DateField()),
                ("opened_at", models.BigIntegerField()),
                ("opened_by", models.CharField(blank=True, max_length=150)),
                ("done_at", models.BigIntegerField(default=None, null=True)),
                ("done_by", models.CharField(blank=True, max_length=150)),
                (
                    "holder",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="central.holder"),
                ),
                ("key", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="central.key")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                (
                    "station",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="central.station"),
                ),
                ("unit", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="central.unit")),
            ],
            options={
                "ordering": ["due", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Block",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("open", models.BooleanField(default=True)),
                ("at", models.BigIntegerField()),
                ("by", models.CharField(blank=True, max_length=150)),
                ("revision", models.BigIntegerField()),
                ("version", models.BigIntegerField()),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="blocks", to="central.key"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("open", True)), fields=("key",), name="one_open_block_a_key"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("site_administrator", "Site administrator"),
                            ("section_manager", "Section manager"),
                            ("coordinator", "Coordinator"),
                            ("staffing_administrator", "Staffing administrator"),
                            ("provider_key_manager", "Private provider's key manager"),
                            ("on_call_manager", "On-call manager"),
                            ("auditor", "Auditor"),
                            ("system_administrator", "System administrator"),
                        ],
                        max_length=40,
                    ),
                ),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to="central.unit"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "role", "site", "unit"), name="one_membership"),
                    models.UniqueConstraint(
                        condition=models.Q(("unit", None)),
                        fields=("user", "role", "site"),
                        name="one_membership_for_all_units",
                    ),
                ],
            },
        ),
    ]
