"""Moving over from another server: its configuration and database in, records and settings out.

`database` and `files` read and write; everything else is a pure mapping. Nothing here knows a running server.
"""
