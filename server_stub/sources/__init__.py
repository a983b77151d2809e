"""Where jobs, workers and API requests come from."""
