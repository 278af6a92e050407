"""Files: written whole or not at all, TOML, tidy tables."""
