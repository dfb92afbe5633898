"""The command `auxseg`: one small file a command, each loading what it needs when it runs."""
