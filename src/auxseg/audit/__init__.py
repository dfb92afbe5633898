"""The report: one folder that opens from disk, without server or network, in which labels are ranked and judged."""
