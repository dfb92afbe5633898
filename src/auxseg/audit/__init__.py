"""The report: one folder that opens from disk, without server or network, to rank and judge labels."""
