"""Runs of Aspara in files: the layout its own tools read, on the local disk."""
