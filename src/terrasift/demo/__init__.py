"""The whole way, shown on generated images."""
