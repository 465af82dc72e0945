"""What an activation box does with the key in its socket: it reads what is there, and adds an activation.

It writes ``act`` and its own ``boxcert`` and nothing else: a box has nothing newer than what the key carries, and no
word of central's on whether the key still qualifies.
"""

from typing import cast

from station.key.activation import ActivationWork
from station.key.box_pins import BoxPinWork
from station.key.clearing import id_on
from station.key.work import KeyWork
from station.ports import KeyFile, KeyRefused, StoreFault
from station.records import envelope
from station.records.claims import BLOCKLIST_LIMIT_BYTES, RECORD_LIMIT_BYTES, KeyRecord
from station.rules.facts import Attempts, KeyKnown
from station.rules.key_sync import key_clock_unset, last_sync
from station.visit.effects import ActivateKey, PrepareKey, ReadKey
from station.visit.inputs import KeyRead, KeySeen

READ_FILES = (KeyFile.CERT, KeyFile.SYNC, KeyFile.PERMIT, KeyFile.BLOCK)

CLOCKS_DIFFER_LIMIT_S = 3600
"""A box never sets a key's clock, and locks go by that. Two clocks drift apart by minutes in the 400 days that a box
may be without a network; by more than this, one of them is wrong."""


class BoxKeyWork(KeyWork):
    """`KeyWork` of an activation box. ``parts.pins`` is a `BoxPinWork`."""

    async def _read(self, effect: ReadKey) -> None:
        id_record = await id_on(self._key)
        record = envelope.verified(KeyRecord, id_record, self._identity.central_keys)
        if record is not None:
            self._seen = KeySeen(id_record, record)
            self._record_switched_off(nameless=False)
        self._clock = await self._read_clock()
        files = {KeyFile.ID.value: id_record}
        for file in READ_FILES:
            limit_bytes = BLOCKLIST_LIMIT_BYTES if file is KeyFile.BLOCK else RECORD_LIMIT_BYTES
            files[file.value] = await self._files.content(file, limit_bytes)
        clock_s = self._clock.unix_s if self._clock is not None else None
        clock_set = not key_clock_unset(clock_s, last_sync(envelope, self._identity.central_keys, files))
        if record is None:
            await self._unreadable(effect.insertion, id_record, "bad_key_record" if clock_set else "clock_unset")
            return
        known, attempts = await self._judge(record, files, clock_s=clock_s)
        self._put(KeyRead(effect.insertion, KeySeen(id_record, record), known, attempts))

    async def _judge(
        self, record: KeyRecord, files: dict[str, bytes], *, clock_s: int | None
    ) -> tuple[KeyKnown, Attempts]:
        try:
            return await cast(BoxPinWork, self._parts.pins).judge(record, files, clock_s=clock_s)
        except StoreFault as error:
            # How many PINs were wrong before is not known: nothing is activated here.
            self._parts.readiness.store_failed(error)
            return KeyKnown(), Attempts()

    async def _prepare(self, effect: PrepareKey) -> None:
        """Nothing on the key is brought up to date; it is only recorded that it was here."""
        if self._parts.once.is_first(self._visit, "key_synced"):
            self._recorder.keep(
                self._recorder.event(
                    "key_synced",
                    effect.seen,
                    source="key",
                    duration_ms=int((self._parts.time.now().mono_s - self._began_s) * 1000),
                    wire_bytes=self._key.wire_bytes,
                )
            )

    async def _write_activation(self, effect: ActivateKey, activation: ActivationWork) -> None:
        key_s = await self._key_clock_s()
        certificate, progress = self._identity.certificate, self._parts.progress
        act = await activation.sign()
        with progress.of(self._key, (len(certificate), len(act))):
            await self._files.write_box_certificate()
            progress.next()
            # A key whose clock is a little behind opens a little later: better than not at all, in a crisis.
            await activation.write(act, self._seen, max(key_s, effect.grant.not_before))

    async def _key_clock_s(self) -> int:
        """What locks will go by. Raises KeyRefused where it can not be right."""
        key_s = (await self._key.clock()).unix_s
        if key_s is None or abs(key_s - self._parts.time.now().unix_s) > CLOCKS_DIFFER_LIMIT_S:
            raise KeyRefused("clocks_differ")
        return key_s
