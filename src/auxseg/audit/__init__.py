"""The report: a folder of plain pages that opens from disk, without server, network or script."""
