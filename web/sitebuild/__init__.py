"""The parts of `web/build.py`: tools, steps that run only when their inputs changed, and what each step makes."""
