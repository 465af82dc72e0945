"""The sync station: what a station does. `app` puts one together.

``rules``, ``visit`` and ``display`` decide; ``records`` signs and verifies; ``key``, ``sync`` and ``runtime`` act, by
way of ``ports``; ``supervisor`` keeps a station alive; ``commands`` and ``demo`` start one.
Screens are in ``ui``, wires in ``drivers``, the database in ``offline_cache``, settings in ``config``.
"""
