"""What is measured, by hand, and no part of the tests; docs/benchmarks.md has the figures."""

import os

# Each gostead is a process of its own, as a person's is: see tests/support/preloaded.py.
os.environ["GOSTEAD_TEST_FORKS"] = "0"
