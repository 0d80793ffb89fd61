"""Files: written whole or not at all."""

from terrasift.files.writing import claimed, remove, whole, write_bytes, write_text

__all__ = ["claimed", "remove", "whole", "write_bytes", "write_text"]
