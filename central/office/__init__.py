"""The pages that coordinators work in: roles and their scope, forms, receipts, tasks, imports.

What is done is in ``central.acts``; nothing here signs or talks to stations.
"""
