"""Making a network sparse: LNP on a page (`lnp`), the registry (`recipes`), the loop (`prune`)."""
