"""Results the repository keeps: small tables, and the commands that make and show them."""
