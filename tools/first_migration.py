"""Writes central's one migration anew after a change of the models: ``python -m tools.first_migration``.

Django's own ``makemigrations`` makes each foreign key, index and constraint an operation of its own, and rendering all
models anew after each of them took 1.6 s of the 2 s in which a new database is made. Here each model is made once,
whole, after those that it needs, and all of them are rendered together. ``make format`` puts the file into the one
format.
"""

import os
import sys
import tempfile
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

# ruff: noqa: SLF001, Django documents `_meta`

CREATE_EVERY = "from central.migrations._create_every import CreateEvery"
FILE = Path(__file__).parents[1] / "central" / "migrations" / "0001_initial.py"


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as data:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "central.settings", "CENTRAL_DATA": data}
        import django  # noqa: PLC0415, its settings are in the environment now

        django.setup()
        FILE.write_text(_content(), "utf-8")
    sys.stdout.write(f"{FILE}\n")


def _content() -> str:
    from django.db import migrations  # noqa: PLC0415
    from django.db.migrations.state import ModelState  # noqa: PLC0415
    from django.db.migrations.writer import MigrationWriter  # noqa: PLC0415

    states = [ModelState.from_model(model) for model in _in_order()]
    parts = {
        "initial": True,
        "dependencies": [("auth", "0012_alter_user_first_name_max_length")],
        "operations": [
            migrations.CreateModel(s.name, list(s.fields.items()), s.options, s.bases, s.managers) for s in states
        ],
    }
    migration = type("Migration", (migrations.Migration,), parts)(FILE.stem, "central")
    written: str = MigrationWriter(migration, include_header=False).as_string()
    return f"{CREATE_EVERY}\n{written}\n    operations = [CreateEvery(operations)]\n"


def _in_order() -> list[Any]:
    """Central's models, each after those that it needs. Raises CycleError where two need each other."""
    from django.apps import apps  # noqa: PLC0415

    models = {model._meta.label: model for model in apps.get_app_config("central").get_models()}

    def needed(model: Any) -> set[str]:
        fields = (*model._meta.local_fields, *model._meta.local_many_to_many)
        others = (*model.__bases__, *(field.related_model for field in fields))
        labels = {other._meta.label for other in others if other is not model and hasattr(other, "_meta")}
        return labels & set(models)

    graph = {label: sorted(needed(model)) for label, model in sorted(models.items())}
    return [models[label] for label in TopologicalSorter(graph).static_order()]


if __name__ == "__main__":
    main()
