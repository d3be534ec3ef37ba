"""The tests: unit, operations (throw-away roots), hosts (ssh), faults, bench."""
