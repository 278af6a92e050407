"""What a network does: exponents, activity, modes, memory, and the probe that measures them."""
