"""What a host is: one POSIX-sh probe and a parser per subject, joined in host_state.py."""
