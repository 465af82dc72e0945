"""Bringing the database up to date at start."""

from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

from central.actions.restored import look_where_it_is
from central.clock import unix_now
from central.errors import CentralError
from central.feed import change
from central.models import Site
from central.models.epoch import epoch
from central.operations.alone import Work, alone
from central.signing.keyring import prepare_site
from central.signing.sealing import prepare_master_key


def bring_up_to_date() -> None:
    """Apply what migrations there are, close a database that was restored, see that the master key opens all secrets.

    Of several machines that start at once, one does it; the others wait, and find it done. Raises CentralError
    (``database``, ``master_key``, ``signing_key``, ``busy``).
    """
    try:
        with alone(Work.START):
            executor = MigrationExecutor(connection)
            # Asking first: `migrate` takes a quarter of a second also when there is nothing to do.
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                _take_time()
                call_command("migrate", verbosity=0, interactive=False)
            prepare_master_key()
            epoch()
            look_where_it_is(unix_now())
            for site in Site.objects.all():
                with change():
                    prepare_site(site, unix_now())
    except DatabaseError as error:
        raise CentralError("database", reason=type(error).__name__) from error
    finally:
        # The server forks: a connection must not be shared with a child.
        connections.close_all()


def _take_time() -> None:
    """Until this connection ends: an index of a large table takes longer than any answer may (`central.settings`)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
