"""Hosts over ssh. Each list is a group; group_data/<name of the list>.yaml is its layer.

    gostead plan inventories/fleet.py

A host is a name that ssh knows, or a name and its data:
    ("ci1.example.com", {"ssh_user": "deploy", "ssh_key": "~/.ssh/id_ed25519", "_sudo": True})
"""

runners: list[object] = [
    # "ci1.example.com",
    # ("ci2.example.com", {"ssh_user": "deploy", "_sudo": True}),
]
