"""The run as data: what each host was, what changed, what went wrong; as JSON and as lines."""
