"""What `runyard` does on demand: a module for each command, which knows its own arguments."""
