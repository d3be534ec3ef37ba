"""Guests: Debian with a kernel and a systemd of its own, under QEMU."""
