"""The demo cloud: an AWS on loopback whose nodes are real shells and whose databases are real servers."""
