"""ML-Dash experiments on disk, in the layout of the original client."""
