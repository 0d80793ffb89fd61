"""Files: written whole or not at all, and read within bounds.

`files.arrays` and `files.tensors` read NumPy's and PyTorch's; they take long to import.
"""

from terrasift.files.reading import (
    check_file,
    file_digest,
    read_bytes,
    read_csv,
    read_json,
    read_text,
    read_typed_json,
)
from terrasift.files.writing import claimed, empty, locked, remove, saying, tidy, whole, write_bytes, write_text
from terrasift.files.yaml_reading import KeyPath, YamlText, in_words, parse_yaml, read_yaml

__all__ = [
    "KeyPath",
    "YamlText",
    "check_file",
    "claimed",
    "empty",
    "file_digest",
    "in_words",
    "locked",
    "parse_yaml",
    "read_bytes",
    "read_csv",
    "read_json",
    "read_text",
    "read_typed_json",
    "read_yaml",
    "remove",
    "saying",
    "tidy",
    "whole",
    "write_bytes",
    "write_text",
]
