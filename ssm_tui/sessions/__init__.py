"""Processes and tunnels: launch, ready detection, supervision, ports, prerequisites."""
