"""Stage code: write a fingerprint of every stage's code, data/code/<stage>.txt.

A stage depends only on its own fingerprint, so a change of a comment or of an unrelated module re-runs no other stage.
"""

from auxseg.pipeline.declaration import declared
from auxseg.pipeline.fingerprint import expected_files, write_files
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    files = expected_files(declared(stage.name, {}).outputs)
    write_files({str(stage.outputs.path(path)): text for path, text in files.items()})


if __name__ == "__main__":
    run("code", main)
