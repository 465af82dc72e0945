"""Write the pages in `docs` that are made from the code: ``python -m tools.pages.rules`` and so on, one file a page."""
