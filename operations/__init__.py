"""gostead's operations, and room for your own beside them."""

from gostead.operations import go_env, removal, shells, toolchains

__all__ = ["go_env", "removal", "shells", "toolchains"]
