"""What strategies are made of: gates, the whole book's Greeks, the choice of a series, room for a hedge."""
