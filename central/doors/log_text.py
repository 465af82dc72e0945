"""Texts of strangers for log lines: nothing that a terminal or the next line would take for its own."""

TEXT_LIMIT_CHARACTERS = 80


def plain(text: object) -> str:
    """The text in one word's quotes, cut, with everything but printable characters escaped."""
    cut = str(text)[:TEXT_LIMIT_CHARACTERS]
    return "".join(
        each if each.isprintable() and each not in '"\\' else each.encode("unicode_escape").decode() for each in cut
    ).join(('"', '"'))
