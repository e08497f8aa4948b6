"""The Textual interface: shows and announces; everything it needs is handed to it."""
