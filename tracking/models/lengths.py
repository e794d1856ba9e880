"""How long stored texts may be."""

NAME_LENGTH = 250  # fits one path segment of every file system, and an index on every database
