"""A step of a scenario: it prints one line, and fails with that line when it does not come true."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from station.demo.served_station import ServedStation
from station.errors import StationError

TEXT_WIDTH = 28


class Instead(Exception):
    """What was there in place of what a step expects, in plain words; `step` makes an `ExpectationFailed` of it."""


class ExpectationFailed(StationError):
    """A step did not come true. Its text is one plain line: ``FILE:LINE: STEP: instead …``."""

    def __init__(self, step: str, instead: str) -> None:
        super().__init__("expectation_failed", step=step, instead=instead)
        self._text = f"{step}: instead {' '.join(instead.split())}"
        self.where = ""
        """``FILE:LINE``, once it is known."""

    def __str__(self) -> str:
        return f"{self.where}: {self._text}" if self.where else self._text


class TakesSteps(Protocol):
    """What steps are methods of."""

    out: Callable[[str], None]
    """Prints a line."""
    at: ServedStation
    """Where the person of the scenario stands."""


S = TypeVar("S", bound=TakesSteps)
P = ParamSpec("P")


def step(
    verb: str = "", *, leaves: bool = False
) -> Callable[
    [Callable[Concatenate[S, P], Coroutine[Any, Any, str | None]]],
    Callable[Concatenate[S, P], Coroutine[Any, Any, None]],
]:
    """Make a step of a method that does something, and returns what there was to see if it looks at something.

    Whoever has taken a key waits until the station has noticed before the next step, unless that one ``leaves``.
    """

    def decorated(
        work: Callable[Concatenate[S, P], Coroutine[Any, Any, str | None]],
    ) -> Callable[Concatenate[S, P], Coroutine[Any, Any, None]]:
        @wraps(work)
        async def done(scene: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
            text = " ".join([verb or work.__name__.replace("_", "-"), *map(str, args), *map(str, kwargs)])
            try:
                if not leaves:
                    await scene.at.noticed()
                seen = await work(scene, *args, **kwargs)
                if scene.at.stopped:
                    raise Instead("the station has stopped")
            except (StationError, Instead) as error:
                raise ExpectationFailed(text, str(error)) from error
            scene.out(f"  {text:<{TEXT_WIDTH}} -> {seen}" if seen else f"  {text}")

        return done

    return decorated
