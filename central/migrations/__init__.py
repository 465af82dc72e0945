"""Django's migrations. Until 0.2.0 there is one, which a change of the models edits: nothing is deployed."""
