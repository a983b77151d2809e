"""Small pieces of markup that every page uses. They know actions as data and nothing of the application."""
