"""This machine."""

machines = ["@local"]
