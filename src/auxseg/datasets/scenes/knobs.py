"""How hard the scenes are: every number that tunes the difficulty, in one place.

A toy is a large plain body, which says little about the class, and one small part with a pattern that tells the class.
A classifier therefore looks at the part, its activation map covers the part, and saliency and affinity must recover
the rest of the toy. Lengths are shares of the image side, areas are shares of the toy's area, colours are in 0..1.
"""

PART_SHARE = (0.08, 0.14)
"""Area of the part over the whole toy. Smaller: activation maps cover less, and classes are harder to tell."""

PART_COLOUR_LOYALTY = 0.85
"""Chance that a part has its class's own two colours, else any two. Below 1, the pattern must be learned too."""

BODY_COLOUR_LOYALTY = 0.40
"""Chance that a body's colour comes from its class's three favourites, else from all eight. Larger: the body
itself tells the class, and activation maps grow over it."""

BODY_OUTLINE_LOYALTY = 0.35
"""The same for the outline: chance of one of the class's two favourites, else any of the six."""

BODY_COLOUR_JITTER = 0.07
"""Standard deviation of a body's colour around its palette entry, per channel."""

BODY_TEXTURE = (0.02, 0.09)
"""Standard deviation of the brightness texture on a body. Larger: superpixels and affinities break a body up."""

OBJECTS = (0.50, 0.35, 0.15)
"""Chances of one, two and three toys in an image (a toy that does not fit is left out)."""

SAME_CLASS = 0.30
"""Chance that a further toy has the class of the first."""

SIZES = ((0.50, 0.80), (0.40, 0.60), (0.30, 0.45))
"""Longest side of a toy over the image side, when one, two or three toys are planned."""

CLUTTER = (1, 3)
"""Smallest and largest number of clutter pieces behind the toys: bodies like the toys', without part and tag."""

CLUTTER_SIZE = (0.10, 0.28)
"""Longest side of a clutter piece over the image side. Larger: saliency marks more of what is not an object."""

CLUTTER_PLAIN_PATCH = 0.35
"""Chance that clutter carries a patch of plain colour where a toy has its pattern."""

OCCLUDER = 0.30
"""Chance of a clutter piece in front of the toys."""

OVERLAP = 0.35
"""Largest share of a toy that toys in front of it may hide."""

TRUNCATED = 0.20
"""Chance that a toy may extend beyond the image, by at most a sixth of its size. To boundary saliency, a toy that
touches the border looks like background."""

MIN_VISIBLE = 0.45
"""Smallest visible share of a toy; below it, the toy is left out of the scene."""

MIN_PART_VISIBLE = 0.65
"""Smallest visible share of its part; below it, the toy is left out, because its class cannot be recognised."""

CONTRAST = 0.30
"""Distance between the body's colour and the background around it (euclidean, RGB) that counts as good contrast."""

CONTRAST_RATE = 0.85
"""Share of toys for which a colour of good contrast is looked for; the others take the first that is drawn.
Smaller: saliency misses more objects."""
