"""On PostgreSQL the events stand in a partition for each month of receipt. SQLite keeps its plain table.

Plain SQL but for the indexes, which are the model's own. `central.actions.event_months` makes the months.
"""

from typing import Any

from django.db import migrations

BY_MONTH = (
    # The columns are the model's, as the first migration has made them.
    """
    CREATE TABLE central_event_by_month (LIKE central_event INCLUDING DEFAULTS INCLUDING IDENTITY)
    PARTITION BY RANGE (received_at)
    """,
    "DROP TABLE central_event",
    "ALTER TABLE central_event_by_month RENAME TO central_event",
    "ALTER SEQUENCE central_event_by_month_id_seq RENAME TO central_event_id_seq",
    "ALTER TABLE central_event ADD CONSTRAINT central_event_pkey PRIMARY KEY (id, received_at)",
)


def put_by_month(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for statement in BY_MONTH:
        schema_editor.execute(statement)
    event = apps.get_model("central", "Event")
    for index in event._meta.indexes:  # noqa: SLF001  (Django's own name)
        schema_editor.add_index(event, index)


class Migration(migrations.Migration):
    dependencies = [("central", "0001_initial")]

    operations = [migrations.RunPython(put_by_month)]
