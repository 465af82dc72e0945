"""The type for secrets: it gives its value to whoever asks for it by name, and to nobody else."""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass

import pytest

from station.secret import Secret

MARKED = "marked-314159"


@dataclass(frozen=True)
class Settings:
    """A dataclass around a secret, as configuration has."""

    pepper: Secret[bytes]


def test_reveal() -> None:
    assert Secret(MARKED).reveal() == MARKED
    assert Secret(b"\0\xff").reveal() == b"\0\xff"


@pytest.mark.parametrize("secret", [Secret(MARKED), Secret(MARKED.encode())], ids=["text", "bytes"])
def test_nothing_shows(secret: Secret, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").error("took %s of %r", secret, [secret])
    settings = Settings(secret)
    with pytest.raises(TypeError) as error:
        json.dumps(secret)
    crash = "".join(traceback.TracebackException.from_exception(error.value, capture_locals=True).format())
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>30}", f"{secret:>30}", f"{secret!a}", "%s" % secret]  # noqa: UP031
    shown += [repr(settings), repr(asdict(settings)), caplog.text, crash]
    for text in shown:
        assert "Secret(" in text
        assert "314159" not in text


@pytest.mark.parametrize("secret", [Secret(MARKED), Secret(MARKED.encode())], ids=["text", "bytes"])
@pytest.mark.parametrize(
    "leak", [pickle.dumps, json.dumps, hash, len, iter, bytes, vars, list], ids=lambda f: f.__name__
)
def test_no_way_out_by_accident(secret: Secret, leak: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError) as error:
        leak(secret)
    assert "314159" not in str(error.value)


def test_copies_are_the_same_secret() -> None:
    secret = Secret(MARKED)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_equality() -> None:
    assert Secret("å") == Secret("å")
    assert Secret("\udcff") == Secret("\udcff")
    assert Secret(b"1") == Secret(b"1")
    assert Secret("1") != Secret("2")
    assert Secret("1") != Secret("11")
    assert Secret("1") != Secret(b"1")
    assert Secret("1") != "1"
