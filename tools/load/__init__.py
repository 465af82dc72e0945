"""`make load`: central under the load of a morning, on this machine: server, database and stations' calls together.

Never installed, and no part of the tests: each run takes minutes, and all that the machine has.
"""
