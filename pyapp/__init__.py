"""Penstock: the application that runs in the browser. `main.py` builds it, `core/` is reusable on its own."""

__version__ = "0.1.0"
