"""What happens in one small simulation of dust: sources as a collapse makes them, what stands in the way,
what falls; all of it drawn from a recipe.

Shares, speeds, sizes and durations of the puffs are those of `dust.sources`, which draws them from a whole
house's motion; here a stretch of a few metres of it is drawn by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from falsework.datasets.volume_settings import BLOCK, SCENES, VolumeRecipe
from falsework.datasets.volumes_pieces import Pieces, block, slab
from falsework.dust.domain import FINE, Domain
from falsework.dust.sources import DRIFT, FINES, LOBE, SHARES, SOLID_SHARE, SQUEEZED, Puffs
from falsework.plate.plate import SetPlane
from falsework.seeds import generator

__all__ = ["Cloud", "VolumeScene", "draw_scene", "simulation_seed", "split_of_simulation"]

Float = npt.NDArray[np.float64]
Row = dict[str, Any]

UP = np.array([0.0, 0.0, 1.0])
CONCRETE, MASONRY = 2400.0, 1800.0
GRAVITY = 9.81
# m/s at which the air of a puff may leave it at its rim, on the average.
FASTEST_OUT = 8.0
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Cloud:
    """Dust that is there at the start: K balls (K, 3) metres of radius (K,) and density (K,) g/m3, in air
    that moves with `drift` (3,) m/s and eddies of `eddies` m/s RMS, `width` metres at the most."""

    centre: Float
    radius: Float
    density: Float
    drift: Float
    eddies: float
    width: float


@dataclass(frozen=True)
class VolumeScene:
    """One simulation: air cells and their size, what gives off dust, what stands, what moves.

    parameters  all that was drawn, as JSON can say it
    """

    index: int
    seed: int
    domain: Domain
    fps: float
    frames: int
    reach: Literal["local", "street", "camera"]
    wind: tuple[float, float]
    haste: float
    stirring: float
    confinement: float
    puffs: Puffs
    pieces: Pieces
    planes: tuple[SetPlane, ...]
    cloud: Cloud | None
    parameters: Row


def simulation_seed(recipe: VolumeRecipe, index: int) -> int:
    return int(generator(recipe.seed, "volumes", recipe.name, index).integers(2**62))


def split_of_simulation(recipe: VolumeRecipe, index: int) -> Literal["train", "validation", "test"]:
    """From its number alone, so that a set that grows moves no simulation; spread evenly, so that a small set
    has its shares, too."""
    begin = float(generator(recipe.seed, "volumes", recipe.name, "split").random())
    share = (begin + index * GOLDEN) % 1.0
    if share < recipe.split.test:
        return "test"
    return "validation" if share < recipe.split.test + recipe.split.validation else "train"


def _picked(rng: np.random.Generator, weights: dict[Any, float]) -> Any:
    names = sorted(weights)
    share = np.array([weights[name] for name in names])
    return names[int(rng.choice(len(names), p=share / share.sum()))]


def draw_scene(recipe: VolumeRecipe, index: int) -> VolumeScene:
    """All that is decided of simulation `index`; every part has its own stream of random numbers."""
    seed = simulation_seed(recipe, index)
    rng = generator(seed, "scene")
    voxel = float(rng.uniform(*_ends(recipe.grid.voxel)))

    def cells(ends: tuple[float, float]) -> int:
        """Air cells: dust cells fit blocks of the coarser grids, the air its multigrid."""
        low, high = -(-int(ends[0]) // BLOCK), max(int(ends[1]) // BLOCK, -(-int(ends[0]) // BLOCK))
        return int(rng.integers(low, high + 1)) * BLOCK // FINE

    shape = (
        cells(_ends(recipe.grid.edge)), cells(_ends(recipe.grid.edge)), cells(_ends(recipe.grid.height))
    )  # fmt: skip
    air = FINE * voxel
    size = np.array(shape) * air
    domain = Domain((-float(size[0]) / 2, -float(size[1]) / 2, 0.0), air, shape)
    fps = float(rng.choice(np.array(recipe.run.fps)))
    frames = max(recipe.sequences.frames + 2, round(float(rng.uniform(*_ends(recipe.run.seconds))) * fps))
    reach = _picked(rng, dict(recipe.air.reach))
    amount = float(np.exp(rng.uniform(*np.log(_ends(recipe.sources.amount)))))
    heading, blows = rng.uniform(0.0, 2 * np.pi, 2)
    walled = bool(rng.random() < recipe.obstacles.walled)
    wind = float(rng.uniform(*_ends(recipe.air.wind_speed)) * rng.random())
    main = _picked(rng, dict(recipe.sources.main))
    chosen = [name for name in SCENES if name == main or rng.random() < recipe.sources.joining]
    walled = walled or "windows" in chosen
    if walled:
        heading = np.round(heading / (np.pi / 2)) * np.pi / 2
    stage = Stage(size, float(heading), reach, amount, walled)
    for name in chosen:
        stage.add(name, generator(seed, "scene", name))
    stage.stand(recipe, generator(seed, "scene", "obstacles"))
    strength = generator(seed, "scene", "air")
    haste = float(strength.uniform(0.8, 1.5)) if reach == "camera" else 1.0
    scene = {
        "stirring": float(strength.uniform(*_ends(recipe.air.stirring))),
        "confinement": float(strength.uniform(*_ends(recipe.air.confinement))),
    }
    puffs = stage.puffs(haste)
    return VolumeScene(
        index=index, seed=seed, domain=domain, fps=fps, frames=frames, reach=reach,
        wind=(wind * float(np.cos(blows)), wind * float(np.sin(blows))), haste=haste, **scene,
        puffs=puffs, pieces=stage.falling(), planes=tuple(stage.planes), cloud=stage.cloud,
        parameters={
            "simulation": index, "seed": str(seed), "voxel": voxel, "size": [float(n) for n in size],
            "fps": fps, "seconds": frames / fps, "sources": chosen, "reach": reach, "amount": amount,
            "heading": float(heading), "wind": [wind, float(blows)], "haste": haste, **scene,
            "puffs": len(puffs.start), "dust_kg": float(puffs.mass.sum()), "air_m3": float(puffs.air.sum()),
            "pieces": len(stage.pieces), "standing": [plane.name for plane in stage.planes],
        },
    )  # fmt: skip


def _ends(span: Any) -> tuple[float, float]:
    return float(span.low), float(span.high)


class Stage:
    """A scene while it is being drawn. Forward is where the dust is driven to.

    What stands lies along the grid: a wall at an angle to it is a flight of steps here, in whose corners dust
    would stay as it does nowhere else. So forward is an axis where there are walls.
    """

    def __init__(self, size: Float, heading: float, reach: str, amount: float, walled: bool) -> None:
        self.size, self.amount, self.walled = size, amount, walled
        self.forward = np.array([np.cos(heading), np.sin(heading), 0.0])
        self.right = np.cross(UP, self.forward)
        self.half = float(min(size[0], size[1])) / 2
        # m3 of air that leave with a kilogram of fine dust.
        self.squeezed = (1 - SOLID_SHARE) / SOLID_SHARE * SQUEEZED[reach] / (MASONRY * FINES * amount)
        self.rows: list[Row] = []
        self.pieces: list[Pieces] = []
        self.planes: list[SetPlane] = []
        self.cloud: Cloud | None = None
        # The line that the dust comes from, metres along `forward`.
        self.line = 0.0

    def add(self, name: str, rng: np.random.Generator) -> None:
        self.line = -self.half * float(rng.uniform(0.25, 0.8))
        getattr(self, f"_{name}")(rng)

    def puffs(self, haste: float) -> Puffs:
        """All sources, in the order they start."""
        if not self.rows:
            none = np.zeros(0)
            return Puffs(none, none, np.zeros((0, 3)), np.zeros((0, 3)), none, none, none, none, none)
        whole = {f.name: np.concatenate([row[f.name] for row in self.rows]) for f in fields(Puffs)}
        order = np.argsort(whole["start"], kind="stable")
        whole = {name: values[order] for name, values in whole.items()}
        rim = 4 * np.pi * whole["radius"] ** 2 * np.where(whole["length"] > 0, 3.0, 1.0)
        air = np.minimum(whole["air"] * haste, FASTEST_OUT * rim * whole["duration"])
        return Puffs(**(whole | {"velocity": whole["velocity"] * haste, "air": air}))

    def falling(self) -> Pieces:
        return Pieces.joined(self.pieces)

    def stand(self, recipe: VolumeRecipe, rng: np.random.Generator) -> None:
        """What is in the way: a wall across the street, cars and stubs on the ground."""
        if not self.planes:
            self._wall(self.half * rng.uniform(0.1, 0.7), rng, facing=-1.0)
        for number in range(int(rng.integers(0, recipe.obstacles.blocks + 1))):
            middle = rng.uniform(-0.8, 0.8, 2) * self.size[:2] / 2
            a, b = rng.uniform(0.4, 2.2, 2)
            u, v = np.array([a, 0.0, 0.0]), np.array([0.0, b, 0.0])
            high = float(rng.uniform(0.4, 2.4))
            corner = np.array([*middle, high]) - u / 2 - v / 2
            self.planes.append(SetPlane(f"block {number}", corner, u, v, high))

    def _wall(self, along: float, rng: np.random.Generator, *, facing: float = 1.0) -> None:
        """A wall across the way, where there are any."""
        if not self.walled:
            return
        high = float(self.size[2] * rng.uniform(0.4, 1.4))
        wide = float(self.half * rng.uniform(0.8, 3.0))
        aside = float(rng.uniform(-0.5, 0.5)) * self.half
        normal = facing * self.forward
        u = np.cross(UP, normal) * wide
        corner = self.forward * along + self.right * aside - u / 2
        self.planes.append(SetPlane("wall", corner, u, UP * high, float(rng.uniform(0.25, 0.6))))

    def _give(self, position: Float, velocity: Float, mass: Float, **more: Any) -> None:
        count = len(mass)
        row = {"breath": np.ones(count), "length": np.zeros(count), "drift": np.full(count, DRIFT)} | more
        row["air"] = mass * self.squeezed * row.pop("breath")
        self.rows.append({"position": position, "velocity": velocity, "mass": mass, **row})

    def _aimed(self, away: Float, spread: float, rng: np.random.Generator) -> Float:
        direction = away + rng.normal(0.0, spread, away.shape)
        return np.asarray(direction / (np.linalg.norm(direction, axis=1, keepdims=True) + 1e-9))

    def _front(self, rng: np.random.Generator) -> None:
        if rng.random() < 0.6:
            self._wall(self.line - 0.1, rng)
        wide = self.half * float(rng.uniform(0.8, 1.8))
        count = int(wide * rng.uniform(8.0, 24.0)) + 4
        across = rng.uniform(-wide / 2, wide / 2, count)
        start = 0.05 + rng.gamma(2.0, float(rng.uniform(0.1, 0.35)), count)
        # Lobes and clefts along the foot.
        long = LOBE * np.exp(rng.uniform(-1.0, 0.5, 7))
        turn, speed = rng.uniform(0.0, 2 * np.pi, 7), rng.normal(0.0, 2.0, 7)
        wave = np.cos(2 * np.pi * across[:, None] / long + turn + start[:, None] * speed).sum(axis=1)
        wave /= np.sqrt(3.5)
        pace = np.clip(1.0 + 0.35 * wave, 0.4, 1.6)
        start += 0.25 * np.clip(1.3 - pace, 0.0, 1.0)
        mass = rng.lognormal(0.0, 1.0, count) * np.exp(1.4 * wave)
        mass *= self.amount * wide * float(np.exp(rng.uniform(np.log(0.2), np.log(1.2)))) / mass.sum()
        place = self.forward * (self.line + rng.uniform(0.2, 0.9, (count, 1))) + self.right * across[:, None]
        place[:, 2] = rng.uniform(0.3, 1.8, count)
        aside = self._aimed(np.broadcast_to(self.forward, (count, 3)), 0.4, rng)
        aside[:, 2] = 0.15 * np.abs(aside[:, 2])
        fast = float(rng.uniform(5.0, 12.0)) * rng.uniform(0.6, 1.1, count) * pace
        self._give(
            place, aside * fast[:, None], mass, start=start, duration=rng.uniform(0.2, 0.6, count),
            radius=rng.uniform(0.4, 1.0, count),
        )  # fmt: skip

    def _windows(self, rng: np.random.Generator) -> None:
        self._wall(self.line - 0.1, rng)
        storey, apart = float(rng.uniform(2.6, 3.6)), float(rng.uniform(1.2, 2.4))
        sill = float(rng.uniform(0.8, 2.2))
        levels = np.arange(sill, self.size[2] - 0.5, storey)
        columns = np.arange(-self.half * 0.8, self.half * 0.8, apart) + float(rng.uniform(0.0, 0.8))
        high, across = (grid.ravel() for grid in np.meshgrid(levels, columns))
        blows = rng.random(len(high)) < 0.8
        blows[int(rng.integers(len(high)))] = True
        high, across = high[blows], across[blows]
        count = len(high)
        # The crushing walks down, storey after storey.
        start = 0.05 + (levels.max() - high) / float(rng.uniform(5.0, 14.0)) + rng.exponential(0.2, count)
        speed = np.clip(rng.uniform(4.0, 14.0) * rng.uniform(0.6, 1.15, count), 3.0, 14.0)
        place = self.forward * (self.line + 0.15) + self.right * across[:, None] + UP * high[:, None]
        aim = self.forward + rng.normal(0.0, 0.2, (count, 3)) * np.array([1.0, 1.0, 0.6])
        mass = self.amount * 0.06 * rng.lognormal(0.0, 0.7, count) * speed / 8.0
        self._give(
            place + rng.normal(0.0, 0.1, (count, 3)), aim * speed[:, None], mass, start=start,
            duration=rng.uniform(0.25, 0.7, count), radius=rng.uniform(0.22, 0.42, count),
            length=0.12 * speed * rng.uniform(0.7, 1.3, count), breath=np.full(count, 0.4),
            drift=np.zeros(count),
        )  # fmt: skip

    def _burst(self, rng: np.random.Generator) -> None:
        count = int(rng.integers(15, 80))
        middle = np.array([*rng.uniform(-0.5, 0.5, 2) * self.size[:2] / 2, 0.0])
        middle[2] = float(rng.uniform(0.4, 0.6 * self.size[2]))
        # Along a line of breaking: a beam, an edge of a wall, a corner.
        line = self._aimed(rng.normal(0.0, 1.0, (1, 3)) * np.array([1.0, 1.0, 0.4]), 0.0, rng)
        place = middle + line * rng.uniform(-1.5, 1.5, (count, 1)) + rng.normal(0.0, 0.3, (count, 3))
        place[:, 2] = np.maximum(place[:, 2], 0.3)
        aside = self._aimed(np.broadcast_to(self.forward, (count, 3)) * rng.uniform(0.0, 1.0), 0.6, rng)
        aside[:, 2] = 0.4 * np.abs(aside[:, 2])
        fast = rng.uniform(2.0, 10.0) * rng.uniform(0.4, 1.0, count)
        mass = rng.lognormal(0.0, 0.9, count)
        mass *= self.amount * float(np.exp(rng.uniform(np.log(0.1), np.log(1.2)))) / mass.sum()
        self._give(
            place, aside * fast[:, None], mass, start=0.05 + rng.uniform(0.0, 0.4, count),
            duration=rng.uniform(0.1, 0.4, count), radius=rng.uniform(0.4, 0.9, count),
            breath=np.full(count, float(rng.uniform(0.3, 1.0))),
        )  # fmt: skip

    def _pieces(self, rng: np.random.Generator) -> None:
        if rng.random() < 0.4:
            self._wall(self.line - 0.6, rng)
        count = int(rng.integers(4, 40))
        # A few large, many small.
        edge = np.clip(0.14 * rng.pareto(1.3, count) + 0.12, 0.12, 1.4)
        across = rng.uniform(-0.7, 0.7, count) * self.half
        for number in range(count):
            start = self.forward * (self.line + rng.uniform(0.0, 1.5)) + self.right * across[number]
            start[2] = self.size[2] * rng.uniform(0.4, 1.1) + edge[number]
            fallen = float(rng.uniform(0.0, 8.0))
            velocity = self.forward * rng.uniform(0.0, 3.0) + self.right * rng.normal(0.0, 0.6)
            velocity[2] = -np.sqrt(2 * GRAVITY * fallen)
            mass = MASONRY * float(edge[number]) ** 3 * 0.7
            shed = mass * FINES * self.amount * 4.0 * SHARES["trail"] * float(rng.lognormal(0.0, 1.2))
            piece = block(
                start, velocity, float(edge[number]), begins=float(rng.gamma(1.5, 0.3)), shed=shed, rng=rng
            )
            self.pieces.append(piece)
            self._landing(piece, mass * FINES * self.amount * 3.0 * float(rng.lognormal(0.0, 0.7)), rng)

    def _slab(self, rng: np.random.Generator) -> None:
        if rng.random() < 0.4:
            self._wall(self.line - 0.3, rng)
        a, b = self.half * rng.uniform(0.5, 1.2, 2)
        thick, high = float(rng.uniform(0.2, 0.35)), float(rng.uniform(1.2, 4.0))
        stops = float(rng.uniform(0.2, 0.8))
        piece = slab(
            self.forward * (self.line + a / 2) + UP * high, self.forward * a, self.right * b, thick, stops,
            gravity=GRAVITY * float(rng.uniform(0.4, 0.95)), begins=float(rng.uniform(0.0, 0.3)), rng=rng,
        )  # fmt: skip
        self.pieces.append(piece)
        # What lies under it and on it is crushed, and leaves at its rim.
        count = int((a + b) * rng.uniform(8.0, 24.0))
        mass = rng.lognormal(0.0, 1.0, count)
        storeys = float(rng.uniform(1.0, 4.0))
        mass *= a * b * thick * CONCRETE * FINES * self.amount * storeys / mass.sum()
        bearing = rng.uniform(0.0, 2 * np.pi, count)
        rim = np.stack([np.cos(bearing), np.sin(bearing)], axis=1)
        rim /= np.abs(rim).max(axis=1, keepdims=True)
        middle = self.forward * (self.line + a / 2)
        place = middle + rim[:, :1] * self.forward * a / 2 + rim[:, 1:] * self.right * b / 2
        away = self._aimed(place - middle, 0.25 * (a + b) / 2, rng)
        place[:, 2] = rng.uniform(0.2, stops + 0.5, count)
        away[:, 2] = 0.2 * np.abs(away[:, 2])
        fast = rng.uniform(4.0, 11.0) * rng.uniform(0.5, 1.1, count)
        self._give(
            place, away * fast[:, None], mass, start=float(piece.lands[0]) + rng.normal(-0.08, 0.12, count),
            duration=rng.uniform(0.15, 0.6, count), radius=rng.uniform(0.35, 0.8, count),
            breath=np.full(count, 0.5),
        )  # fmt: skip

    def _drift(self, rng: np.random.Generator) -> None:
        heaps = int(rng.integers(1, 4))
        middle = rng.uniform(-0.6, 0.6, (heaps, 2)) * self.size[:2] / 2
        count = int(rng.integers(8, 30))
        pick = rng.integers(0, heaps, count)
        wide = self.half * float(rng.uniform(0.2, 0.5))
        centre = np.concatenate(
            [middle[pick] + rng.normal(0.0, wide, (count, 2)), np.zeros((count, 1))], axis=1
        )
        centre[:, 2] = np.abs(rng.normal(0.0, 0.3 * self.size[2], count))
        self.cloud = Cloud(
            centre=centre,
            radius=rng.uniform(0.5, 1.0, count) * self.half * 0.4,
            density=rng.lognormal(0.0, 0.8, count) * self.amount * float(np.exp(rng.uniform(-1.5, 1.5))),
            drift=self.forward * float(rng.uniform(0.0, 3.0)),
            eddies=float(rng.uniform(0.5, 2.0)),
            width=float(rng.uniform(2.0, 5.0)),
        )

    def _landing(self, piece: Pieces, mass: float, rng: np.random.Generator) -> None:
        """A piece bursts where it is stopped."""
        if float(piece.lands[0]) > 10.0:
            return
        count = int(rng.integers(1, 4))
        place = np.repeat(piece.at(float(piece.lands[0])), count, axis=0)
        place[:, 2] = rng.uniform(0.2, 0.5, count)
        aside = self._aimed(np.broadcast_to(self.forward * 0.5, (count, 3)), 0.7, rng)
        aside[:, 2] = 0.15 * np.abs(aside[:, 2])
        fast = np.clip(0.7 * piece.speed(float(piece.lands[0]))[0], 2.0, 9.0) * rng.uniform(0.5, 1.1, count)
        share = rng.dirichlet(np.ones(count))
        self._give(
            place, aside * fast[:, None], mass * share,
            start=np.full(count, float(piece.lands[0])) + rng.uniform(0.0, 0.1, count),
            duration=rng.uniform(0.15, 0.5, count), radius=rng.uniform(0.25, 0.8, count),
        )  # fmt: skip
