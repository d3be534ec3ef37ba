"""What the tests stand on: root file systems, throw-away roots, ssh hosts, mirrors."""
