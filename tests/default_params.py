"""A complete parameter file with the models' defaults, so that tests do not follow the tuning of a preset."""

from auxseg.params.template import render

TEXT = render(
    {"rounds": {"r1": "r0", "r2": "r1"}, "label_rounds": ["r0", "r1", "r2"], "shards": ["00", "01"]}, "Defaults."
)
