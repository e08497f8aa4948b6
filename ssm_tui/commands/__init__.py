"""The subcommands of the command line, a module each: they compose AWS, sessions and text output."""
