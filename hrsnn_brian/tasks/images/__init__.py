"""Images: sets of them, read and checked, and what turns one into a short series of inputs."""
