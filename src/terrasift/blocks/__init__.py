"""The method, a file for each of its five blocks (docs/method.md)."""
