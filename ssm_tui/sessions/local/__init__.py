"""The local end of tunnels: ports taken and remembered, clients accepted and carried."""
