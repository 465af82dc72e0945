"""`central serve`: processes, connections, requests. Everything that waits does so in an event loop, without a thread.

No views live here, and nothing of what stations are told; those are called, in a few threads.
"""
