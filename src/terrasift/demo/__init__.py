"""The whole way, shown on generated images."""

from terrasift.demo.scenes import write_scenes

__all__ = ["write_scenes"]
