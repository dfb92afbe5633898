"""The command `auxseg`: `main` lists the commands, each of which is a module with `add_arguments` and `run`."""
