"""The realtime core: a query cache fed by streams, pure Python 3.11+, with no import of a browser or of an application.

`client.py` is the door: `use_query`, `use_stream` and the keys. Everything else is how that is kept true.
"""
