"""The one root of every fault that a station can meet."""


class StationError(Exception):
    """A fault. Carries a code and fields for the log, never a text for people (those live in ``ui``)."""

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{name}={value}" for name, value in self.fields.items())])
