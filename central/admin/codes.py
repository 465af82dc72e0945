"""The page's own titles. Codes themselves are shown once by the actions and are not listed."""

from django.contrib import admin

admin.site.site_header = "Sync stations"
admin.site.site_title = "Sync stations"
admin.site.index_title = "Staff, keys, places, events"
