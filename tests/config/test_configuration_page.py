"""The reference page of the settings is what the models make."""

from config.models import Settings, keys_with_reach
from tools.pages.configuration import PAGE, page


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.pages.configuration"


def test_every_key_is_on_it_with_its_reach() -> None:
    rows = page().splitlines()
    for table, key, reach in keys_with_reach(Settings):
        assert f"### [{table}]" in rows
        assert any(row.startswith(f"| `{key}` |") and row.endswith(f"| {reach.value} |") for row in rows)
