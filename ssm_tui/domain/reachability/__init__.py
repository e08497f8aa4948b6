"""Whether packets get from a node to a database and back, as AWS enforces it: pure rules over ssm_tui.domain.networks.

`coverage` asks how much of a range rules allow; `groups`, `acls` and `routes` are the three checks; `verdict` puts them
together; `terrain` is where they look facts up.
"""
