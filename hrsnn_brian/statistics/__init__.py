"""Statistics over seeds: pairs, families of tests, means and errors."""
