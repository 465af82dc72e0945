import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import central.models.base
import central.models.mirror
import central.models.people
import central.models.places
import central.models.site_texts
from central.migrations._create_every import CreateEvery


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Site",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "number",
                    models.BigIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(65535),
                        ]
                    ),
                ),
                ("name", models.CharField(max_length=100, validators=[central.models.base.check_printable])),
                ("timezone", models.CharField(default="Europe/Stockholm", max_length=64)),
                (
                    "support",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Whom to call, and when: a list of hours and phones",
                        validators=[central.models.site_texts.check_support],
                    ),
                ),
                (
                    "privacy_notice",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='By language: {"sv": "…"}',
                        validators=[central.models.site_texts.check_texts],
                    ),
                ),
                (
                    "help_texts",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='In the place of the program\'s own, by language and topic: {"sv": {"lost": "…"}}',
                        validators=[central.models.site_texts.check_help],
                    ),
                ),
                (
                    "pin_digits",
                    models.PositiveSmallIntegerField(
                        default=6,
                        help_text="Of PINs given from now on",
                        validators=[
                            django.core.validators.MinValueValidator(6),
                            django.core.validators.MaxValueValidator(10),
                        ],
                    ),
                ),
                ("pin_version", models.BigIntegerField(default=0, editable=False)),
                ("pin_version_ending", models.BigIntegerField(editable=False, null=True)),
                ("pin_version_task", models.BigIntegerField(default=0, editable=False)),
                ("look_ups", models.JSONField(default=central.models.places.no_look_ups, editable=False)),
                (
                    "permit_days",
                    models.PositiveSmallIntegerField(
                        default=21,
                        help_text="How long a permit lives",
                        validators=[
                            django.core.validators.MinValueValidator(2),
                            django.core.validators.MaxValueValidator(90),
                        ],
                    ),
                ),
                (
                    "log_days",
                    models.PositiveSmallIntegerField(
                        default=90,
                        help_text="How many days what stations and keys tell is kept; after that only daily counts are",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                    ),
                ),
                (
                    "audit_days",
                    models.PositiveSmallIntegerField(
                        default=730,
                        help_text="How many days the audit log, look-ups, settled receipts and tasks are kept; then they are deleted",
                        validators=[
                            django.core.validators.MinValueValidator(30),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                    ),
                ),
                (
                    "forget_days",
                    models.PositiveSmallIntegerField(
                        default=90,
                        help_text="How many days after the end of employment a person is forgotten: name, language, PIN and what they could open go, the number stays. Fewer than the log's: its newest entries may name nobody",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                    ),
                ),
                ("signing_key", models.PositiveSmallIntegerField(default=1, editable=False)),
                ("current_key", models.PositiveSmallIntegerField(default=1, editable=False)),
                ("retired_key", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("public_key", models.BinaryField(max_length=32, null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("number",), name="site_number")],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="EventId",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "site_id", "event", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("site_id", models.BigIntegerField()),
                ("event", models.UUIDField()),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="LoggedInFrom",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                ("network", models.CharField(max_length=64)),
                ("at", models.BigIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "network"), name="logged_in_from_once")],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="PasswordToChange",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="password_to_change",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="SentForm",
            fields=[
                ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                ("content", models.CharField(max_length=64)),
                ("at", models.BigIntegerField(db_index=True)),
                ("answer", models.BinaryField(default=None, null=True)),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="ServerFact",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("value", models.CharField(max_length=200)),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="TryCount",
            fields=[
                ("bucket", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("full_at_ms", models.BigIntegerField(db_index=True)),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="AccountOfSite",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="account_of",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="Activation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "site",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to="central.site"),
                ),
                ("key", models.BigIntegerField()),
                ("holder", models.BigIntegerField()),
                ("begins", models.BigIntegerField()),
                ("ends", models.BigIntegerField()),
                ("received_at", models.BigIntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["site", "key", "ends"], name="activations_by_key"),
                    models.Index(fields=["site", "received_at"], name="activations_by_time"),
                ],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="Area",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                (
                    "number",
                    models.BigIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(4294967295),
                        ]
                    ),
                ),
                ("name", models.CharField(max_length=100, validators=[central.models.base.check_printable])),
            ],
            options={
                "ordering": ["site", "number"],
                "constraints": [models.UniqueConstraint(fields=("site", "number"), name="area_number")],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Blocklist",
            fields=[
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="central.site",
                    ),
                ),
                ("version", models.BigIntegerField()),
                ("renew_at", models.BigIntegerField(db_index=True)),
                ("record", models.BinaryField()),
            ],
            options={
                "abstract": False,
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="CentralKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                (
                    "number",
                    models.BigIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(65535),
                        ]
                    ),
                ),
                ("public_key", models.BinaryField(max_length=32)),
                ("record", models.BinaryField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("site", "number"), name="central_key_number")],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="DailyCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "site",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to="central.site"),
                ),
                ("day", models.BigIntegerField()),
                ("area", models.BigIntegerField()),
                ("unit", models.BigIntegerField()),
                ("type", models.CharField(max_length=40)),
                ("count", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("site", "day", "area", "unit", "type"), name="one_count_a_day")
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="FeedCounter",
            fields=[
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="central.site",
                    ),
                ),
                ("value", models.BigIntegerField(default=0)),
                ("floor", models.BigIntegerField(default=0)),
                ("count", models.BigIntegerField(default=0)),
                ("state", models.BinaryField(default=central.models.mirror.empty_state, max_length=2048)),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="LookUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                (
                    "user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("by", models.CharField(blank=True, max_length=150)),
                ("at", models.BigIntegerField()),
                (
                    "about",
                    models.CharField(
                        choices=[("lock", "Lock"), ("holder", "Holder"), ("key", "Key"), ("all", "All")], max_length=8
                    ),
                ),
                ("number", models.BigIntegerField(null=True)),
                ("since", models.BigIntegerField()),
                ("until", models.BigIntegerField()),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("incident", "Incident"),
                            ("client_asked", "Client Asked"),
                            ("key_lost", "Key Lost"),
                            ("access_check", "Access Check"),
                            ("technical", "Technical"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("case", models.BigIntegerField(null=True)),
            ],
            options={
                "ordering": ["-at", "-pk"],
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="MirrorRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                ("type", models.CharField(max_length=16)),
                ("number", models.BigIntegerField()),
                ("revision", models.BigIntegerField()),
                ("content", models.TextField()),
                ("hash", models.BinaryField(max_length=32, null=True)),
                ("removed_at", models.BigIntegerField(default=None, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("removed_at__isnull", False)),
                        fields=["removed_at"],
                        name="tombstones_by_age",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "type", "number"), name="one_row_an_object"),
                    models.UniqueConstraint(fields=("site", "revision"), name="one_object_a_revision"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SealedSecret",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("signing", "the seed of the n-th Ed25519 key, 32 bytes"),
                            ("salt", "the site salt of PIN tags, 16 bytes; number 0"),
                            ("pepper", "the pepper of one version of PIN tags, 32 bytes"),
                        ],
                        max_length=8,
                    ),
                ),
                ("number", models.BigIntegerField()),
                ("sealed", models.BinaryField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("site", "kind", "number"), name="one_secret_a_number")],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Undoable",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
                ("what", models.CharField(max_length=30)),
                ("number", models.BigIntegerField()),
                ("before", models.JSONField(default=dict)),
                ("seen", models.CharField(max_length=200)),
                ("at", models.BigIntegerField(db_index=True)),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="Unit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                (
                    "number",
                    models.BigIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(65535),
                        ]
                    ),
                ),
                ("name", models.CharField(max_length=100, validators=[central.models.base.check_printable])),
                (
                    "closed",
                    models.BooleanField(
                        default=False, help_text="Its keys and its people are used with each other only"
                    ),
                ),
                (
                    "emergency_keys_wanted",
                    models.PositiveSmallIntegerField(
                        default=3, help_text="Fewer of its emergency keys than so many at hand are a warning; 0: none"
                    ),
                ),
                (
                    "usual_every_area",
                    models.BooleanField(default=False, help_text="Whoever is new here may open every area"),
                ),
                (
                    "usual_windows",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="When whoever is new here may open; empty: always",
                        validators=[central.models.places.check_windows],
                    ),
                ),
                (
                    "usual_areas",
                    models.ManyToManyField(
                        blank=True, help_text="What whoever is new here may open", to="central.area"
                    ),
                ),
            ],
            options={
                "ordering": ["site", "number"],
                "constraints": [models.UniqueConstraint(fields=("site", "number"), name="unit_number")],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Holder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                (
                    "number",
                    models.BigIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(4294967295),
                            central.models.people.check_holder_number,
                        ]
                    ),
                ),
                ("given_name", models.CharField(max_length=60, validators=[central.models.base.check_printable])),
                ("family_name", models.CharField(max_length=60, validators=[central.models.base.check_printable])),
                (
                    "category",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "permanent"), (1, "long-term substitute"), (2, "hourly")]
                    ),
                ),
                ("unit", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="central.unit")),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("ended", "Ended")], default="active", max_length=8
                    ),
                ),
                (
                    "employment_begins",
                    models.DateField(blank=True, help_text="The first day at work: until then, no lock", null=True),
                ),
                ("employment_ends", models.DateField(blank=True, help_text="The last day at work", null=True)),
                (
                    "language",
                    models.CharField(blank=True, help_text="For the screen: sv, da, nb, fi, en", max_length=5),
                ),
                (
                    "note",
                    models.CharField(
                        blank=True,
                        help_text="For the office; never leaves this server",
                        max_length=200,
                        validators=[central.models.base.check_printable],
                    ),
                ),
                ("pin_tag", models.BinaryField(default=central.models.people.no_pin, max_length=16)),
                ("pin_at", models.BigIntegerField(editable=False, null=True)),
                ("ended_at", models.BigIntegerField(editable=False, null=True)),
                ("forgotten_at", models.BigIntegerField(editable=False, null=True)),
                ("pin_version", models.BigIntegerField(editable=False, null=True)),
            ],
            options={
                "ordering": ["site", "number"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("employment_ends__isnull", False)),
                        fields=["status", "employment_ends"],
                        name="employments_that_end",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "number"), name="holder_number"),
                    models.UniqueConstraint(fields=("site", "pin_tag"), name="one_person_a_pin"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Lock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                (
                    "number",
                    models.BigIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(4294967295),
                        ]
                    ),
                ),
                ("area", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="central.area")),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="central.unit"
                    ),
                ),
                (
                    "note",
                    models.CharField(
                        blank=True, help_text="For the office only; never leaves this server", max_length=200
                    ),
                ),
            ],
            options={
                "ordering": ["site", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "number"), name="lock_number"),
                    models.CheckConstraint(
                        condition=models.Q(("number__gt", 1)), name="lock_number_1_is_the_test_lock"
                    ),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                            ("technical_department", "Technical department"),
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
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Station",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                (
                    "number",
                    models.BigIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(65535),
                        ]
                    ),
                ),
                ("name", models.CharField(max_length=100, validators=[central.models.base.check_printable])),
                (
                    "address",
                    models.CharField(blank=True, max_length=200, validators=[central.models.base.check_printable]),
                ),
                ("unit", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="central.unit")),
                (
                    "role",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "sync station"), (1, "activation box"), (2, "update box")], default=0
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("up", "Up"), ("down", "Down"), ("unknown", "Unknown")],
                        default="unknown",
                        max_length=8,
                    ),
                ),
                (
                    "latitude",
                    models.IntegerField(
                        blank=True,
                        help_text="In millionths of a degree",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(-90000000),
                            django.core.validators.MaxValueValidator(90000000),
                        ],
                    ),
                ),
                (
                    "longitude",
                    models.IntegerField(
                        blank=True,
                        help_text="In millionths of a degree",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(-180000000),
                            django.core.validators.MaxValueValidator(180000000),
                        ],
                    ),
                ),
                (
                    "stolen",
                    models.BooleanField(
                        default=False, help_text="Its number goes on the blocklist of every key and lock"
                    ),
                ),
                ("public_key", models.BinaryField(max_length=32, null=True)),
                ("certificate", models.BinaryField(null=True)),
                ("certificate_issued", models.BigIntegerField(editable=False, null=True)),
                ("certificate_expires", models.BigIntegerField(editable=False, null=True)),
                ("last_contact", models.BigIntegerField(editable=False, null=True)),
            ],
            options={
                "ordering": ["site", "number"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "down")), fields=["site", "number"], name="stations_down"
                    ),
                    models.Index(
                        condition=models.Q(("stolen", True)), fields=["site", "number"], name="stations_stolen"
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("site", "number"), name="station_number")],
            },
        ),
        migrations.CreateModel(
            name="AccessPeriod",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="access_periods", to="central.holder"
                    ),
                ),
                ("unit", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="central.unit")),
                ("opens", models.JSONField()),
                ("since", models.BigIntegerField()),
                ("until", models.BigIntegerField(db_index=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["holder", "since"], name="access_of_a_day")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("until", None)),
                        fields=("holder", "unit"),
                        name="one_access_a_unit_at_a_time",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("unit", None), ("until", None)),
                        fields=("holder",),
                        name="one_own_access_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Permission",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="permissions", to="central.holder"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        help_text="Hourly staff only: with this unit's keys",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="central.unit",
                    ),
                ),
                ("every_area", models.BooleanField(default=False)),
                (
                    "windows",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Empty: always",
                        validators=[central.models.places.check_windows],
                    ),
                ),
                ("areas", models.ManyToManyField(blank=True, to="central.area")),
                ("locks", models.ManyToManyField(blank=True, help_text="Besides the areas", to="central.lock")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("holder", "unit"), name="one_permission_a_unit"),
                    models.UniqueConstraint(
                        condition=models.Q(("unit", None)), fields=("holder",), name="one_permission_without_a_unit"
                    ),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="EnrolmentCode",
            fields=[
                ("ident", models.CharField(max_length=8, primary_key=True, serialize=False)),
                ("secret_hash", models.CharField(max_length=64)),
                ("station", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.station")),
                ("created_at", models.BigIntegerField()),
                ("expires_at", models.BigIntegerField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("used_at", models.BigIntegerField(default=None, null=True)),
                ("used_public_key", models.BinaryField(default=None, max_length=32, null=True)),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "site",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="central.site",
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="central.station",
                    ),
                ),
                ("event", models.UUIDField()),
                ("instance", models.UUIDField()),
                ("seq", models.BigIntegerField()),
                ("at", models.BigIntegerField()),
                ("received_at", models.BigIntegerField()),
                (
                    "clock",
                    models.SmallIntegerField(choices=[(0, "synced"), (1, "holdover"), (2, "rtc"), (-1, "unknown")]),
                ),
                ("type", models.CharField(max_length=40)),
                ("key", models.BigIntegerField(null=True)),
                ("holder", models.BigIntegerField(null=True)),
                ("lock", models.BigIntegerField(null=True)),
                ("log_seq", models.BigIntegerField(null=True)),
                (
                    "doubt",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("contradicts", "no activation of that key by that holder at that time"),
                            ("conflicts", "different entries of one number"),
                            ("unjudged", "no time"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("data", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["site", "received_at", "id"], name="events_by_receipt"),
                    models.Index(
                        condition=models.Q(("lock__isnull", False)),
                        fields=["site", "lock", "at"],
                        name="events_by_lock",
                    ),
                    models.Index(
                        condition=models.Q(("key__isnull", False)), fields=["site", "key", "at"], name="events_by_key"
                    ),
                    models.Index(
                        condition=models.Q(("holder__isnull", False)),
                        fields=["site", "holder", "at"],
                        name="events_by_holder",
                    ),
                    models.Index(
                        condition=models.Q(("doubt", "contradicts")), fields=["site", "key"], name="events_unexplained"
                    ),
                ],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="Key",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                (
                    "number",
                    models.BigIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(4294967295),
                        ]
                    ),
                ),
                (
                    "kind",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "personal"), (1, "substitute pool"), (2, "emergency pool")]
                    ),
                ),
                ("unit", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="central.unit")),
                (
                    "holder",
                    models.ForeignKey(
                        blank=True,
                        help_text="Personal keys only",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="central.holder",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("blank", "not handed out"),
                            ("active", "Active"),
                            ("blocked", "Blocked"),
                            ("returned", "Returned"),
                        ],
                        default="blank",
                        max_length=8,
                    ),
                ),
                ("locked_at", models.BigIntegerField(blank=True, editable=False, null=True)),
                ("unlocked_at", models.BigIntegerField(blank=True, editable=False, null=True)),
                ("wrong_pins", models.JSONField(default=list, editable=False)),
                ("broken", models.BooleanField(default=False, editable=False)),
                ("battery_replaced", models.DateField(blank=True, null=True)),
                ("activated_at", models.BigIntegerField(editable=False, null=True)),
                (
                    "locked_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="central.station",
                    ),
                ),
                ("locked_noted_at", models.BigIntegerField(editable=False, null=True)),
                ("record", models.BinaryField(null=True)),
                ("key_public", models.BinaryField(max_length=32, null=True)),
                ("record_carried", models.BigIntegerField(editable=False, null=True)),
            ],
            options={
                "ordering": ["site", "number"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "blocked")), fields=["site", "number"], name="keys_blocked"
                    ),
                    models.Index(
                        condition=models.Q(("kind__in", [1, 2])), fields=["site", "number"], name="keys_of_pools"
                    ),
                    models.Index(
                        condition=models.Q(("locked_at__isnull", False)), fields=["site", "number"], name="keys_locked"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "number"), name="key_number"),
                    models.UniqueConstraint(fields=("site", "key_public"), name="one_key_a_public_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("holder__isnull", False), ("kind", 0)),
                            models.Q(("holder__isnull", True), ("kind__in", [1, 2])),
                            _connector="OR",
                        ),
                        name="personal_keys_have_a_holder",
                    ),
                ],
            },
        ),
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
                (
                    "note",
                    models.CharField(blank=True, max_length=200, validators=[central.models.base.check_printable]),
                ),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="StationHealth",
            fields=[
                (
                    "station",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="health",
                        serialize=False,
                        to="central.station",
                    ),
                ),
                ("revision", models.BigIntegerField(null=True)),
                ("mirror_at", models.BigIntegerField(null=True)),
                ("events_at", models.BigIntegerField(null=True)),
                ("events_behind_s", models.BigIntegerField(null=True)),
                ("outbox", models.BigIntegerField(null=True)),
                ("mirror_confirmed_at", models.BigIntegerField(null=True)),
                ("clock", models.SmallIntegerField(null=True)),
                ("config_version", models.CharField(blank=True, max_length=64)),
                ("config_at", models.BigIntegerField(null=True)),
                ("config_rejected_at", models.BigIntegerField(null=True)),
                ("restarted_at", models.BigIntegerField(null=True)),
                ("restart_reason", models.CharField(blank=True, max_length=20)),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="StationToken",
            fields=[
                ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                (
                    "station",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tokens", to="central.station"
                    ),
                ),
                ("created_at", models.BigIntegerField()),
                ("expires_at", models.BigIntegerField(null=True)),
                ("used_at", models.BigIntegerField(default=None, null=True)),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="Permit",
            fields=[
                (
                    "permission",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="central.permission",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="permits", to="central.holder"
                    ),
                ),
                ("revision", models.BigIntegerField()),
                ("expires", models.BigIntegerField()),
                ("renew_at", models.BigIntegerField(db_index=True, null=True)),
                ("record", models.BinaryField()),
            ],
            options={
                "abstract": False,
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="TemporaryAccess",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "permission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="temporary", to="central.permission"
                    ),
                ),
                ("until", models.DateField(help_text="The last day")),
                ("areas", models.ManyToManyField(to="central.area")),
            ],
            options={
                "abstract": False,
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="Opening",
            fields=[],
            options={
                "verbose_name": "opening",
                "verbose_name_plural": "opening log",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("central.event",),
        ),
        migrations.CreateModel(
            name="Block",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="blocks", to="central.key"
                    ),
                ),
                ("open", models.BooleanField(default=True)),
                ("at", models.BigIntegerField()),
                ("by", models.CharField(blank=True, max_length=150)),
                ("version", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("open", True)), fields=("key",), name="one_open_block_a_key"
                    )
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Handover",
            fields=[
                (
                    "key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="handover",
                        serialize=False,
                        to="central.key",
                    ),
                ),
                ("is_out", models.BooleanField()),
                ("holder", models.BigIntegerField(null=True)),
                ("at", models.BigIntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("is_out", True)), fields=["holder"], name="handovers_open")
                ],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="LogGaps",
            fields=[
                (
                    "key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="log_gaps",
                        serialize=False,
                        to="central.key",
                    ),
                ),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                ("missing", models.JSONField(default=list)),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="LogMark",
            fields=[
                (
                    "key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to="central.key"
                    ),
                ),
                ("generation", models.BigIntegerField()),
                ("seq", models.BigIntegerField()),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="ProvisionCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code_hash", models.CharField(max_length=64, unique=True)),
                ("key", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.key")),
                ("created_at", models.BigIntegerField()),
                ("expires_at", models.BigIntegerField()),
                ("used_at", models.BigIntegerField(default=None, null=True)),
                (
                    "used_by",
                    models.ForeignKey(
                        default=None, null=True, on_delete=django.db.models.deletion.CASCADE, to="central.station"
                    ),
                ),
                ("used_key_public", models.BinaryField(default=None, max_length=32, null=True)),
            ],
            options={
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                ("unit", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="central.unit")),
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
                ("key", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="central.key")),
                ("holder", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="central.holder")),
                ("made_at", models.BigIntegerField()),
                ("made_by", models.CharField(max_length=150)),
                ("signed_at", models.BigIntegerField(default=None, null=True)),
                ("signed_by", models.CharField(blank=True, max_length=150)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["site", "made_at"], name="receipts_by_time"),
                    models.Index(
                        condition=models.Q(("signed_at", None)), fields=["site", "made_at"], name="receipts_unsigned"
                    ),
                ],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.site")),
                ("unit", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="central.unit")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("new_key", "New Key"),
                            ("collect_key", "Collect Key"),
                            ("renew_pins", "Renew Pins"),
                            ("refused_pin", "Refused Pin"),
                            ("went_back", "Went Back"),
                            ("many_locked", "Many Locked"),
                            ("station_told", "Station Told"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="central.holder"),
                ),
                ("key", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="central.key")),
                (
                    "station",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="central.station"),
                ),
                ("detail", models.CharField(blank=True, max_length=20)),
                ("due", models.DateField()),
                ("opened_at", models.BigIntegerField()),
                ("opened_by", models.CharField(blank=True, max_length=150)),
                ("paused_at", models.BigIntegerField(default=None, null=True)),
                ("done_at", models.BigIntegerField(default=None, null=True)),
                ("done_by", models.CharField(blank=True, max_length=150)),
            ],
            options={
                "ordering": ["due", "pk"],
                "indexes": [
                    models.Index(condition=models.Q(("done_at__isnull", True)), fields=["kind"], name="open_tasks"),
                    models.Index(
                        condition=models.Q(("done_at__isnull", True)), fields=["site", "due"], name="open_tasks_by_due"
                    ),
                ],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="BlockReached",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "block",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reached", to="central.block"
                    ),
                ),
                ("station", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="central.station")),
                ("at", models.BigIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("block", "station"), name="a_station_hears_once")],
                "indexes": [],
            },
        ),
    ]

    operations = [CreateEvery(operations)]
