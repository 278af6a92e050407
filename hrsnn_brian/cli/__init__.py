"""The `hrsnn` command: one module per sub-command, nothing heavy imported before it is needed."""
