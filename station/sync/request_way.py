"""Over which connection a request went: one that was kept from an earlier call may have died unnoticed since."""


class RequestWay:
    """How a request goes to central."""

    def __init__(self) -> None:
        self.answered = False
        """Whether the answer has begun."""
        self._sent = self._connected = False

    async def trace(self, step: str, _told: object) -> None:
        """Take up a step that httpcore has begun or ended."""
        self._connected = self._connected or step.startswith("connection.connect")
        self._sent = self._sent or step.startswith("http11.send_request")

    @property
    def was_kept(self) -> bool:
        """Whether the request went over a connection that was there before."""
        return self._sent and not self._connected
