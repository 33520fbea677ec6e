"""Five made-up picks whose names hold what file formats trip over."""

from jaxsel.annotation.picks import Pick

PICKS = [
    Pick(1, "ward 1/left eye.png", "ward 1/left eye.png", 40, 0.5, 12),
    Pick(2, "ward 2/left eye.png", "ward 2/left eye.png", 7, 0.25, 3),
    Pick(3, "=SUM(1,2).png", "=SUM(1,2).png", 12, 0.125, 2),
    Pick(4, 'é "quoted", 50%#.tif', 'é "quoted", 50%#.tif', 0, None, 2),
    Pick(5, "line\nbreak;=x\udcff.png", "line\nbreak;=x\udcff.png", 3, 1e-07, 1),
]
SIZES = {PICKS[0].id: (640, 480), PICKS[1].id: (32, 16)}
