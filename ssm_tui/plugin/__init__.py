"""Our session-manager-plugin: a program of its own that speaks the Session Manager data channel."""
