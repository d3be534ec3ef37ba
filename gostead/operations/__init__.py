"""What brings a host from what it is to what is declared: per subject a pure plan() and one
operation. `from gostead.operations import toolchains, shells` serves any pyinfra deploy."""

from gostead.operations.caches import caches
from gostead.operations.cgo import cgo
from gostead.operations.go_env import go_env
from gostead.operations.orphans import orphans
from gostead.operations.removal import removal
from gostead.operations.schedule import schedule
from gostead.operations.shells import shells
from gostead.operations.slices import slices
from gostead.operations.toolchains import toolchains
from gostead.operations.tools import tools
from gostead.operations.xcode import xcode

__all__ = [
    "caches", "cgo", "go_env", "orphans", "removal", "schedule", "shells", "slices", "toolchains",
    "tools", "xcode",
]  # fmt: skip
