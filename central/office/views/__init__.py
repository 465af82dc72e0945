"""The pages, a file for each thing that they are about. Each is a `page` or a `deed` of `central.office.desk`."""
