"""gostead brings macOS and Linux hosts to a declared Go setup, and proves it."""

__version__ = "0.1.0"
