"""The change feed: revisions that are committed in order, and the pages, snapshots and digests that stations get.

What the objects look like is said by their models; what is signed when is the business of ``central.actions``.
"""

from central.feed.change import change, change_and_sign, touch

__all__ = ["change", "change_and_sign", "touch"]
