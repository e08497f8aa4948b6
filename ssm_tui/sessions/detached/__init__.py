"""The supervisor that outlives the terminal: its socket, its words, and its clients."""
