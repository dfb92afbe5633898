"""Seeds of other methods: their CAMs and labels as round 0, and ours in their formats."""
