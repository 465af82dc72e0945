"""Making many tables at once."""

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation


class CreateModels(Operation):
    """Makes the tables of ``models``, each after those that it needs.

    As that many `CreateModel` would, but Django makes its copies of all models anew once and not after each of them,
    which took half of the time in which a new database is made.
    """

    serialization_expand_args = ["models"]
    reversible = False

    def __init__(self, models: Sequence[CreateModel]) -> None:
        self.models = models

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Know all of them, then."""
        state.__dict__.pop("apps", None)  # what was made of the models before; it is made again when asked for
        for model in self.models:
            model.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make their tables."""
        for model in self.models:
            model.database_forwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """For ``sqlmigrate``."""
        return f"Create {len(self.models)} models"
