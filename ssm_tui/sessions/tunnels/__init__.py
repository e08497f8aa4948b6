"""Tunnels: local ports that stay open, and the sessions that come and go behind them."""
