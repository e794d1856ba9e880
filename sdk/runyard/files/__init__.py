"""What stores of runs on disk have in common: documents, lines, and what others left there."""
