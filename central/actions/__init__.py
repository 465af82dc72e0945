"""What is done to keys, people, stations and users: one function a whole act, in one transaction.

The office's pages, the admin page, the API, the commands and the scheduler call the same ones. An action signs what it
changes, in sight. Who may do what is the business of ``central.doors.table``.
"""
