"""Finds the messages in templates, for the catalogues: Babel reads Python itself (`central/office/babel.cfg`)."""

import re
from collections.abc import Iterator
from typing import IO, Any

MESSAGE = re.compile(r'{% translate "([^"]+)" %}')
WITH_NAMES = re.compile(r"{% blocktranslate [^%]*%}([^\n]*?){% endblocktranslate %}")
NAME = re.compile(r"{{ (\w+) }}")


def in_templates(
    fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Babel's protocol for extraction: line, function, message, comments."""
    for at, line in enumerate(fileobj.read().decode("utf-8").splitlines(), 1):
        for found in MESSAGE.finditer(line):
            yield at, "gettext", found[1], []
        for found in WITH_NAMES.finditer(line):
            yield at, "gettext", NAME.sub(r"%(\1)s", found[1]), []
