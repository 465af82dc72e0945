"""Django's PostgreSQL backend; named in ``ENGINE``."""

import select
from typing import Any

from django.db.backends.postgresql import base, operations

from central.postgresql import PREPARED


class DatabaseOperations(operations.DatabaseOperations):
    """Django's."""

    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """For tests that count: a statement that the server has planned is said without its values."""
        return str(super().last_executed_query(cursor, sql, params) or sql)


class DatabaseWrapper(base.DatabaseWrapper):
    """Sees that a kept connection has ended without asking the server.

    Django asks ``SELECT 1`` before each request, which was a third of what a station's poll asked of the database. A
    server that ends, or ends a connection, says so on it: a connection on which something can be read that nobody has
    asked for is not used again.
    """

    ops_class = DatabaseOperations

    def is_usable(self) -> bool:
        """Django's protocol: whether the connection may be used for the next request."""
        connection: Any = self.connection
        if connection is None or connection.closed:
            return False
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLIN)
        return not waiting.poll(0)

    def create_cursor(self, name: str | None = None) -> Any:
        """Django's. The one named `PREPARED` has the server plan each statement once, not each time."""
        binding: Any = base.ServerBindingCursor
        return binding(self.connection) if name == PREPARED else super().create_cursor(name)
