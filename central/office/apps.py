"""Django's view of the office: templates, style sheet and texts; its models are `central.models`."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """The daily pages."""

    name = "central.office"
    label = "office"
    verbose_name = "Office"
