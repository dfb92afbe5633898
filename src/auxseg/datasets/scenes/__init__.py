"""The embedded data set: generated photographs of toys, with true masks, the same bytes for the same seed.

Six classes of toys; each is told by the pattern on one small part, while its body, most of its area, says
little of the class. `knobs` holds what makes it hard.
"""

from auxseg.datasets.scenes.classes import SCENES_CLASSES
from auxseg.datasets.scenes.compose import Scene, compose
from auxseg.datasets.scenes.write import write_scenes

__all__ = ["SCENES_CLASSES", "Scene", "compose", "write_scenes"]
