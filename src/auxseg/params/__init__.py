"""Every knob, typed: one module a section of params.yaml, each the only source of its names, ranges and defaults."""
