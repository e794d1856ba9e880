"""Brings what other tools left on disk to the server, as often as one likes."""
