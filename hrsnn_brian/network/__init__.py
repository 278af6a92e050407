"""Networks: the dataclass, drawing one from parameters, and files."""
