"""`SmpKeyReader`: waits for keys on a serial port. What is done with one that is there is `SmpKeySession`'s."""

import asyncio
from typing import Final

from drivers.smp import messages
from drivers.smp.client import SmpClient
from drivers.smp.lost_answers import LostAnswers
from drivers.smp.session import SmpKeySession
from station.ports import KeyLost, ReaderLost, ReaderSettings

POLL_INTERVAL_S: Final = 0.15
"""How often it is asked whether a key is there; also how long a key may take to its first answer."""


class SmpKeyReader:
    """A `station.ports.KeyReader`. Opens the port when first used, and again when it has come back."""

    def __init__(self, settings: ReaderSettings) -> None:
        self._settings = settings
        self._closed = False
        self._client: SmpClient | None = None
        self._session: SmpKeySession | None = None
        self._lost_answers = LostAnswers()
        self._looked_at_s = 0.0

    @property
    def looked_at_s(self) -> float:
        """See `KeyReader.looked_at_s`."""
        return max(self._looked_at_s, self._session.looked_at_s if self._session is not None else 0.0)

    @property
    def is_open(self) -> bool:
        """See `KeyReader.is_open`."""
        return self._client is not None and self._client.flows

    async def next_key(self) -> SmpKeySession:
        """See `KeyReader.next_key`. ReaderLost: as `SerialPort.open`, also ``port_stuck`` later; ``closed``."""
        loop = asyncio.get_running_loop()
        if self._session is not None:
            self._session.end()
        at_once = True
        while True:
            self._looked_at_s = began_s = loop.time()
            client = await self._opened()
            try:
                async with client.turn:
                    # Any answer will do, also that echo is not supported.
                    await client.ask(messages.echo(), POLL_INTERVAL_S, fresh_line=True)
            except KeyLost:
                if client.is_stuck:
                    raise ReaderLost("port_stuck", port=self._settings.port) from None
                at_once = False
                # A broken port may fail at once, again and again.
                await asyncio.sleep(max(0.0, began_s + POLL_INTERVAL_S - loop.time()))
            else:
                self._lost_answers.key_is_there(at_once=at_once)
                self._session = SmpKeySession(client, self._settings.folder, self._lost_answers)
                return self._session

    async def use(self, settings: ReaderSettings) -> None:
        """See `KeyReader.use`."""
        self._settings = settings
        self._let_go()

    async def close(self) -> None:
        """See `KeyReader.close`."""
        self._closed = True
        self._let_go()

    async def _opened(self) -> SmpClient:
        while not self._closed:
            if self._client is not None and self._client.is_open:
                return self._client
            settings = self._settings
            try:
                client = await SmpClient.open(settings.port, settings.baud)
            except ReaderLost:
                if settings is self._settings:
                    raise
                continue  # there are other settings meanwhile
            if settings is self._settings and not self._closed:
                self._client = client
                return client
            client.close()
        raise ReaderLost("closed", port=self._settings.port)

    def _let_go(self) -> None:
        if self._session is not None:
            self._session.end()
        if self._client is not None:
            self._client.close()
            self._client = None
