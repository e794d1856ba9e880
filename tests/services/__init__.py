"""Real services on loopback, in folders of their own, for tests, benchmarks and the chaos harness."""
