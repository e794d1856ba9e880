"""Brings runs to the server while they are written, and people's edits back into their files."""
