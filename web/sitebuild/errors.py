"""The one error of the build: a sentence that says what is wrong and what to do."""


class BuildError(Exception):
    """Shown to the user as it is, without a traceback."""
