"""What is measured: scores of predictions and the cost of a network at work."""
