"""Every way in which a pushed file can be no file at all."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from tests.pushed_config.site import Site

HUGE_BYTES = 100 << 20


@dataclass(frozen=True)
class Form:
    name: str
    put: Callable[[Site], None]
    line: int | None = None
    """The line that the rejection names."""
    needs_a_good_one: bool = False
    """It can only be told from a good file by comparison."""

    @staticmethod
    def take_away(site: Site) -> None:
        path = site.path
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _text(name: str, change: Callable[[str], str | bytes], line: int | None, **how: bool) -> Form:
    return Form(name, lambda site: site.push(change(site.text())), line, **how)


def _loop(site: Site) -> None:
    Form.take_away(site)
    site.path.symlink_to(site.path)


def _folder(site: Site) -> None:
    Form.take_away(site)
    site.path.mkdir()


def _fifo(site: Site) -> None:
    Form.take_away(site)
    os.mkfifo(site.path)


def _dangling(site: Site) -> None:
    Form.take_away(site)
    site.path.symlink_to("nowhere")


def _huge(site: Site) -> None:
    Form.take_away(site)
    with site.path.open("wb") as file:
        file.write(site.text().encode())
        file.truncate(HUGE_BYTES)


FORMS = [
    _text("half", lambda text: text[: text.index("[display]")], 14, needs_a_good_one=True),
    _text("half_a_line", lambda text: text[: text.index("receipt_s")] + "recei", 17, needs_a_good_one=True),
    _text("without_its_end", lambda text: text.replace("# end\n", ""), 19, needs_a_good_one=True),
    _text("wrong_type", lambda text: text.replace("left_in_s = 120", 'left_in_s = "long"'), 14),
    _text("unknown_key", lambda text: text.replace("left_in_s", "left_in_seconds"), 14),
    _text("unknown_table", lambda text: text.replace("[policy]", "[polcy]"), 12),
    _text("too_long_hours", lambda text: text.replace("active_minutes = 660", "active_minutes = 661"), 13),
    _text("no_number", lambda text: text.replace("number = 7\n", ""), 1),
    _text("toml_error", lambda text: text.replace("[keypad]", "[keypad"), 10),
    _text("not_utf_8", lambda text: text.replace("Exempelby", "Lövberga").encode("latin-1"), 3),
    _text("empty", lambda _text: "", 1),
    _text("zeros", lambda text: bytes(len(text)), 1),
    Form("100_mb", _huge),
    Form("folder", _folder),
    Form("fifo", _fifo),
    Form("missing", Form.take_away),
    Form("symlink_loop", _loop),
    Form("dangling_symlink", _dangling),
]
