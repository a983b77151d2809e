"""The wire's models: part A, and part B's framing and configuration. Import from the modules."""
