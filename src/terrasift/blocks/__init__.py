"""The method, a file for each of its five blocks (METHOD section 1)."""
