"""Data sets as annotation tools write them, one file a tool, chosen by `data.format`.

A reader returns an `Annotated`: images, image-level labels, and where the masks are. Where these are shapes in a file,
`draw_*` reads them. To add a format, add a file here, a line in `readers`, a name in `DataParams.format`, a rule in
`recognise` and a row in docs/data.md.
"""
