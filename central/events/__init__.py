"""What stations report: taking it in once, what it changes, and what is missing."""
