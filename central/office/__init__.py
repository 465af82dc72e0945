"""The pages that coordinators work in: roles and their scope, forms, texts.

What is done is in ``central.actions``; nothing here signs or talks to stations.
"""
