"""The embedded data set: generated images of toys with exact masks, the same bytes for the same seed.

There are six classes of toys. The pattern on one small part tells the class; the body, which is most of the area, says
little about it. `knobs` has the numbers that make the task hard.
"""

from auxseg.datasets.scenes.classes import SCENES_CLASSES
from auxseg.datasets.scenes.compose import Scene, compose
from auxseg.datasets.scenes.write import write_scenes

__all__ = ["SCENES_CLASSES", "Scene", "compose", "write_scenes"]
