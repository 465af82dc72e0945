"""`SqliteStore`: ``station.ports.Store`` on one SQLite file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlite_utils import Database

from offline_cache import begun_activations, mirror, outbox, small_tables
from offline_cache.connection import empty_write_ahead_log, immediate, room_to_delete
from offline_cache.database_thread import DatabaseThread
from offline_cache.event_ids import EventIds
from station.ports import (
    Change,
    LogEvent,
    LogMark,
    MirrorBundle,
    MirrorObject,
    MirrorState,
    MirrorUpdate,
    ReceivedObject,
    StoredEvent,
)
from station.records.mirror_digest import ObjectName
from station.rules.attempts import AttemptCount


class SqliteStore:
    """The station's one database. Made by `open`; every method raises StoreFault for a failure of the disk or file.

    Calls run one after the other in the order they were made. What was handed over is done even when the caller is
    cancelled meanwhile. Mirror objects must have been confirmed, and what is used of them verified. Numbers (ids,
    revisions, times) are below 2**63.
    """

    def __init__(self, thread: DatabaseThread, instance: str) -> None:
        self.thread = thread
        """Runs all work on the database."""
        self._instance = instance
        self._ids = EventIds()

    @classmethod
    async def open(cls, path: Path) -> "SqliteStore":
        """Open the database, making it (0600, in a folder of 0700) where there is none.

        Raises StoreFault: ``store_broken`` for a file that is damaged or no database, ``store_io`` (reason ``in_use``
        when another process has it, ``newer_schema`` when a later program has written it), ``disk_full``.
        """
        thread = await DatabaseThread.start(path)
        try:
            instance = await thread.run(outbox.instance)
        except BaseException:
            await thread.stop()
            raise
        return cls(thread, instance)

    @property
    def instance(self) -> str:
        """The UUID made with this database, under which events are counted."""
        return self._instance

    async def alive(self) -> None:
        """Return when the database's thread has come to it: proof that it is not stuck."""
        await self.thread.run(lambda _: None)

    async def commit(self, change: Change) -> None:
        """Make ``change`` durable (it is on the disk when this returns), all of it or nothing.

        A given event id that is no UUID is a ValueError.
        """

        def work(db: Database) -> None:
            with immediate(db):
                outbox.add(db, change.events, self._ids)
                if change.attempts is not None:
                    small_tables.set_attempts(db, change.attempts)
                if change.log_mark is not None:
                    small_tables.set_log_mark(db, change.log_mark)
                begun_activations.settle(db, change.settles)

        await self.thread.run(work)

    async def mirror_state(self) -> MirrorState:
        """What has last been confirmed; nothing before the first snapshot."""
        return await self.thread.run(mirror.state)

    async def take_mirror(self, update: MirrorUpdate) -> None:
        """Make what a head has confirmed durable, in one transaction."""
        await self.thread.run(lambda db: mirror.take(db, update, self._ids))
        if update.whole:
            await self.clear_beside()

    async def put_beside(self, objects: Sequence[ReceivedObject], *, again: bool = False) -> int:
        """Keep objects of a mirror that is coming, in small transactions; how many of them were not there yet.

        Those that are stay as they are, or with ``again`` are replaced. Nobody sees any of it before `take_mirror`.
        """
        return await self.thread.run(lambda db: mirror.put_beside(db, objects, again=again))

    async def found_beside(self, names: Sequence[ObjectName]) -> Mapping[ObjectName, ReceivedObject]:
        """Those of these objects that were put beside the mirror; ``used`` is as received, or not known here: None."""
        return await self.thread.run(lambda db: mirror.found_beside(db, names))

    async def clear_beside(self) -> None:
        """Forget what was put beside the mirror, or is left of the one before it."""

        def work(db: Database) -> int:
            with room_to_delete(db):
                return mirror.clear_beside(db)

        cleared = False
        while await self.thread.run(work):
            # In between others have their turn.
            cleared = True
        if cleared:
            # A name that central no longer tells goes from the WAL as well.
            await self.thread.run(empty_write_ahead_log)

    async def held_hashes(self, names: Sequence[ObjectName]) -> Mapping[ObjectName, bytes]:
        """The hashes of those of these objects that are held, used or not."""
        return await self.thread.run(lambda db: mirror.held_hashes(db, names))

    async def held_objects(self, names: Sequence[ObjectName]) -> Mapping[ObjectName, MirrorObject]:
        """Those of these objects that are used."""
        return await self.thread.run(lambda db: mirror.held_objects(db, names))

    async def permits_of(self, holders: Sequence[int]) -> list[MirrorObject]:
        """The permits of these holders that are used."""
        return await self.thread.run(lambda db: mirror.permits_of(db, holders))

    async def bundle(self, key: int | None = None, pin_tags: Sequence[bytes] = ()) -> MirrorBundle:
        """Everything about a key, and about the holder with one of these PIN tags (nobody, when two have)."""
        return await self.thread.run(lambda db: mirror.bundle(db, key, pin_tags))

    async def objects(self, type_: str, above: int = -1, limit: int | None = None) -> list[MirrorObject]:
        """All objects of a type that are used, by id; or as many as ``limit`` with ids ``above`` that."""
        return await self.thread.run(lambda db: mirror.objects(db, type_, above, limit))

    async def attempts(self, key: int) -> AttemptCount:
        """The wrong PINs of a key; zero where none are kept."""
        return await self.thread.run(lambda db: small_tables.attempts(db, key))

    async def log_mark(self, key: int) -> LogMark | None:
        """How far this key's log has been read."""
        return await self.thread.run(lambda db: small_tables.log_mark(db, key))

    async def pending(self, limit: int, after: int = 0) -> list[StoredEvent]:
        """The oldest events numbered above ``after`` that central has neither acknowledged nor refused."""
        return await self.thread.run(lambda db: outbox.pending(db, limit, after, self._instance))

    async def pending_count(self) -> int:
        """How many events central has neither acknowledged nor refused."""
        return await self.thread.run(outbox.count_pending)

    async def take_answers(self, done: Sequence[str], set_aside: Mapping[str, str]) -> None:
        """Forget the events that central has (``done``); keep those that it refused, with its reason, unsent."""

        def work(db: Database) -> None:
            with room_to_delete(db), immediate(db):
                outbox.take_answers(db, done, set_aside)

        await self.thread.run(work)

    async def note(self, name: str, value: str | None = None) -> str | None:
        """Set a small durable fact, if a value is given, and return it."""

        def work(db: Database) -> str | None:
            kept = small_tables.note(db, name)
            # The same again is not written: the clock's floor is noted more often than it moves.
            if value is None or value == kept:
                return kept
            with immediate(db):
                small_tables.set_note(db, name, value)
            return value

        return await self.thread.run(work)

    async def begin_activation(self, if_interrupted: LogEvent) -> int:
        """The next number for an activation, from 1; durable, so that it is never given twice by this database.

        So is ``if_interrupted``, until a `Change` settles the number: a plug pulled while ``act`` is being written
        must not make an activation that nobody has heard of.
        """

        def work(db: Database) -> int:
            with immediate(db):
                return begun_activations.begin(db, if_interrupted)

        return await self.thread.run(work)

    async def tell_interrupted(self) -> int:
        """At a start: keep the events of what the last run began and did not settle; how many."""

        def work(db: Database) -> int:
            with immediate(db):
                begun = begun_activations.unsettled(db)
                outbox.add(db, begun.values(), self._ids)
                begun_activations.settle(db, tuple(begun))
            return len(begun)

        return await self.thread.run(work)

    async def close(self) -> None:
        """Finish what was handed over and let go of the file. A second time does nothing."""
        await self.thread.stop()
