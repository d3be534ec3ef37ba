"""What a built file says of itself, and where it will run: `gostead audit --artifact`.

Nothing is started and no host is asked. Reading happens in a process of its own (`asking`), the
judgement here.
"""
