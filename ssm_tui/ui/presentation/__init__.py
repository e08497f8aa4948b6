"""From values of the domain to what a screen shows: pure functions, no widgets."""
