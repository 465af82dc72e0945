"""A whole station simulated from a seed: real parts, virtual time, drawn people and faults, and an independent judge.

`run.simulate` plays one seed; ``python -m tests.simulation`` plays many. What is deployed does not know of any of this.
"""
