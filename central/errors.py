"""The one root of every fault and refusal of the central server."""


class CentralError(Exception):
    """Carries a code and fields for the log, never a text for people."""

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{name}={value}" for name, value in self.fields.items())])


class Refused(CentralError):
    """A call that is answered with an error status: the code is the ``error`` of its body."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
