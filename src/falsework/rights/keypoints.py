"""Distinct points of a picture and whether two pictures share them in one geometry (SIFT, then RANSAC).

SIFT: Lowe 2004, by OpenCV, with square-rooted descriptors (Arandjelović and Zisserman 2012). Descriptors are
whole numbers whose dot products stay below 2²⁴: matrix products in float32 are exact, and the matches are the
same with any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["MOST_OF_FRAME", "NOTHING", "Agreement", "Features", "agreement", "features", "reduced"]

LONGEST = 1280  # pixels: points are sought in pictures reduced to this longest side
MOST = 2500  # points kept of a sample
MOST_OF_FRAME = 6000  # more of a frame: a copy may be a small part of it, among busier things
CONTRAST = 0.01  # a quarter of OpenCV's default: soft and dusty frames still give points
RATIO = 0.8  # nearest to second nearest descriptor, Lowe's figure
TOLERANCE = 3.0  # pixels of the reduced frame, for RANSAC
SMALLEST_PATCH = 24.0  # pixels each way that agreeing points must span in both pictures
LARGEST_SCALE = 20.0
HYPOTHESES = 400
# Squared distance of two descriptors (of squared length 255² each) from which on the wear of a copy, about
# half as much, no longer mistakes the one for the other.
APART = 10_000.0
JUDGED = 2000  # points by which a picture's distinctness is judged

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Features:
    """Points of one picture, those of every size in turn, strongest first.

    width, height   of the reduced picture, pixels
    points          float32 (N, 4): x, y, size (pixels of the reduced picture), angle (radians, y downwards)
    descriptors     uint8 (N, 128)
    """

    width: int
    height: int
    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.points)

    def distinct(self) -> int:
        """How many of the first `JUDGED` points are like no other point of the same picture.

        A grid of equal windows has thousands of points and none that could be found again.
        """
        some = self.descriptors[:JUDGED].astype(np.float32)
        places = self.points[:JUDGED, :2]
        if not len(some):
            return 0
        squared = _squared_distances(some, some)
        near = (np.abs(places[:, None] - places[None, :]) < 2.0).all(axis=2)  # one place, several points
        squared[near] = np.inf
        return int(np.count_nonzero(squared.min(axis=1) > APART))

    def mirrored(self) -> Features:
        """The points of the picture mirrored left to right, without looking at it again."""
        points = self.points.copy()
        points[:, 0] = self.width - points[:, 0]
        points[:, 3] = (np.pi - points[:, 3]) % (2 * np.pi)
        return Features(self.width, self.height, points, self.descriptors[:, _MIRRORED])


@dataclass(frozen=True)
class Agreement:
    """How far two pictures agree.

    inliers   points that correspond one to one, each once, under one homography
    outline   the sample's corners in the frame (from its top left, clockwise), as fractions of the frame's
              width and height; empty where nothing agrees
    mirrored  whether it is the mirrored sample that agrees
    """

    inliers: int
    outline: tuple[tuple[float, float], ...] = ()
    mirrored: bool = False


NOTHING = Agreement(0)


def _mirrored_bins() -> npt.NDArray[np.intp]:
    """Which of a descriptor's 4 x 4 x 8 bins each one comes from when the picture is mirrored.

    Seen along a point's own direction a mirrored picture has its sides exchanged: rows of bins in reverse,
    and every gradient direction negated.
    """
    bins = np.arange(128).reshape(4, 4, 8)
    return np.asarray(bins[::-1, :, (-np.arange(8)) % 8].reshape(-1), np.intp)


_MIRRORED = _mirrored_bins()


def reduced(picture: Picture, longest: int = LONGEST) -> Picture:
    """A picture (H, W, 3) with its longest side brought down to `longest`; smaller ones stay as they are."""
    height, width = picture.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1.0:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def features(picture: Picture, most: int = MOST) -> Features:
    """At most so many points of a picture uint8 (H, W, 3), red first."""
    grey = cv2.cvtColor(np.ascontiguousarray(reduced(picture)), cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    found, descriptors = cv2.SIFT.create(contrastThreshold=CONTRAST).detectAndCompute(grey, None)
    if not found:
        return Features(width, height, np.zeros((0, 4), np.float32), np.zeros((0, 128), np.uint8))
    points = np.array([(p.pt[0], p.pt[1], p.size, np.deg2rad(p.angle)) for p in found], np.float32)
    strength = np.array([p.response for p in found], np.float32)
    order = _every_size_in_turn(points, strength)[:most]
    raw = descriptors[order].astype(np.float64)
    rooted = np.sqrt(raw / np.maximum(raw.sum(axis=1, keepdims=True), 1.0))
    return Features(width, height, points[order], np.rint(255.0 * rooted).astype(np.uint8))


def agreement(frame: Features, sample: Features) -> Agreement:
    """Where in a frame a sample or its mirror image lies, and how many points say so."""
    # A mirror image in the frame shows as well if it is the sample that is mirrored.
    found = [_agreement(frame, sample, False), _agreement(frame, sample.mirrored(), True)]
    return max(found, key=lambda agreed: agreed.inliers)


def _every_size_in_turn(
    points: npt.NDArray[np.float32], strength: npt.NDArray[np.float32]
) -> npt.NDArray[np.intp]:
    """An order that takes the strongest point of each octave, then the next of each, and so on.

    Small points outnumber large ones by far and would crowd them out; but only the large ones of a picture
    are left of it where it was scaled down.
    """
    octave = np.floor(np.log2(np.maximum(points[:, 2], 1.0))).astype(np.int64)
    # x and y break ties, so that the order is the same whatever order OpenCV's threads finish in
    strongest = np.lexsort((points[:, 3], points[:, 1], points[:, 0], -strength))
    rank = np.zeros(len(points), np.int64)
    for each in np.unique(octave):
        members = strongest[octave[strongest] == each]
        rank[members] = np.arange(len(members))
    place = np.empty(len(points), np.int64)
    place[strongest] = np.arange(len(points))
    return np.lexsort((place, rank))


def _agreement(frame: Features, sample: Features, mirrored: bool) -> Agreement:
    here, there = _matches(frame, sample)
    if len(here) < 4:
        return NOTHING
    ours, theirs = _in_one_pose(frame.points[here], sample.points[there])
    if len(ours) < 4:
        return NOTHING
    found, mask = cv2.findHomography(
        theirs[:, :2], ours[:, :2], cv2.RANSAC, TOLERANCE, maxIters=2000, confidence=0.999
    )
    if found is None:
        return NOTHING
    homography = np.asarray(found, np.float64)
    kept = mask.reshape(-1).astype(bool)
    ours, theirs = ours[kept], theirs[kept]
    if not _plausible(homography, ours, theirs):
        return NOTHING
    width, height = float(sample.width), float(sample.height)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)])
    if mirrored:
        corners = corners[[1, 0, 3, 2]]  # of the sample as it is
    outline = _mapped(homography, corners) / (frame.width, frame.height)
    if not np.isfinite(outline).all():
        return NOTHING
    places = tuple((round(float(x), 4), round(float(y), 4)) for x, y in outline)
    return Agreement(_unique(ours, theirs), places, mirrored)


def _matches(frame: Features, sample: Features) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Pairs of points (indices) that are each other's nearest, and clearly nearer than the next."""
    if len(frame) < 2 or len(sample) < 2:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    a, b = frame.descriptors.astype(np.float32), sample.descriptors.astype(np.float32)
    squared = _squared_distances(a, b)
    back = squared.argmin(axis=0)
    nearest = squared.argmin(axis=1)
    rows = np.arange(len(a))
    first = squared[rows, nearest]
    squared[rows, nearest] = np.inf
    clear = first < RATIO**2 * squared.min(axis=1)
    ours = np.flatnonzero(clear & (back[nearest] == rows))
    ours = ours[np.argsort(first[ours], kind="stable")]
    return ours, nearest[ours]


def _squared_distances(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N, 128) and (M, 128) whole numbers up to 255 → (N, M), exact."""
    squared = a @ b.T
    squared *= -2.0
    squared += (a * a).sum(axis=1)[:, None]
    squared += (b * b).sum(axis=1)[None, :]
    return squared


def _in_one_pose(
    ours: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The matches that roughly follow the place, size and turn which one of them alone implies.

    Every match is tried (the best `HYPOTHESES` of them) and the one with most followers wins. RANSAC by fours
    would hardly ever draw four good ones where a copy is a small part of the frame.
    """
    tried = min(len(ours), HYPOTHESES)
    scale = ours[:tried, 2] / theirs[:tried, 2]
    turn = ours[:tried, 3] - theirs[:tried, 3]
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    across = theirs[None, :, 0] - theirs[:tried, None, 0]
    down = theirs[None, :, 1] - theirs[:tried, None, 1]
    x = ours[:tried, None, 0] + cos[:, None] * across - sin[:, None] * down
    y = ours[:tried, None, 1] + sin[:, None] * across + cos[:, None] * down
    missed = np.hypot(x - ours[None, :, 0], y - ours[None, :, 1])
    # One point's size and direction are known to a fifth or so: what they predict is vaguer farther off.
    follows = missed < 4.0 + 0.2 * np.hypot(across, down) * scale[:, None]
    best = follows[np.argmax(follows.sum(axis=1))]
    return ours[best], theirs[best]


def _plausible(
    homography: npt.NDArray[np.float64], ours: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]
) -> bool:
    """Whether a homography is one that a picture could have been put into a frame with."""
    if len(ours) < 4:
        return False
    spans = (np.ptp(ours[:, :2], axis=0).min(), np.ptp(theirs[:, :2], axis=0).min())
    if min(spans) < SMALLEST_PATCH:
        return False
    middle = theirs[:, :2].mean(axis=0).astype(np.float64)
    steps = _mapped(homography, middle + np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]))
    if not np.isfinite(steps).all():
        return False
    across, down = steps[1] - steps[0], steps[2] - steps[0]
    area = float(across[0] * down[1] - across[1] * down[0])
    return bool(LARGEST_SCALE**-2 < area < LARGEST_SCALE**2)


def _mapped(homography: npt.NDArray[np.float64], points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(mapped[:, :2] / mapped[:, 2:])


def _unique(ours: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]) -> int:
    """Matches, each place (to 2 pixels) counted once on either side: SIFT gives some several points."""
    seen: tuple[set[tuple[int, int]], set[tuple[int, int]]] = (set(), set())
    count = 0
    for here, there in zip(ours, theirs, strict=True):
        places = tuple((round(float(p[0]) / 2), round(float(p[1]) / 2)) for p in (here, there))
        if places[0] not in seen[0] and places[1] not in seen[1]:
            seen[0].add(places[0])
            seen[1].add(places[1])
            count += 1
    return count
