"""Whole stores from one place to another: to another database, into a backup, and out of it."""
