"""gostead's operations, and room for your own beside them."""

from gostead.operations import removal, shells, toolchains

__all__ = ["removal", "shells", "toolchains"]
