"""People's names as somebody has typed or imported them: they go to screens in corridors, labels and prints."""


def name_in(text: str) -> str | None:
    """The name with single spaces; None for one with control characters, or marks that turn what follows around."""
    name = " ".join(text.split())
    return name if name.isprintable() else None
