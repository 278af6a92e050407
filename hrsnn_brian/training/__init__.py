"""Training of a network before any readout: modes by name, on inputs without targets."""
