"""gostead's operations, and room for your own beside them."""

from gostead.operations import (
    caches,
    cgo,
    go_env,
    orphans,
    removal,
    schedule,
    shells,
    slices,
    toolchains,
    tools,
    xcode,
)

__all__ = [
    "caches", "cgo", "go_env", "orphans", "removal", "schedule", "shells", "slices", "toolchains",
    "tools", "xcode",
]  # fmt: skip
