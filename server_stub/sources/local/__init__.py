"""Real work on this machine: huey with process workers, functions that do something, a channel back to the server."""
