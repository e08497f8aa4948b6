"""What an action does from its key to its end: questions, background work, the outcome in words."""
