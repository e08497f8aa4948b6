"""The demo cloud's data plane: servers, gateway and agent, driven over real sockets."""
