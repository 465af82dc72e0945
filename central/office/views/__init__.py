"""The pages, a file for each thing that they are about. Each is a `page` or a `post` of `central.office.pages`."""
