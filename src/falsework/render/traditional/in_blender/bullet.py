"""Rigid bodies under Blender's Bullet: hulls, breakable constraints, and poses frame by frame.

What an artist with a constraints builder sets up: one active body a fragment, one fixed constraint a bond
with a breaking threshold, constraints switched off where supports fail, and a look after every
frame at which connections have come open. Without NumPy, which not every Blender has.
"""

import math
import sys
from array import array
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import bpy
from mathutils import Quaternion, Vector

import exchange

X = Vector((1.0, 0.0, 0.0))
FIRST = 1  # Blender's frame in which everything is as it was built
UNBREAKABLE = 1e30  # newton seconds
GROUND = 300.0  # metres, half its width
GROUND_FRICTION, SET_FRICTION = 0.8, 0.6
ANGULAR_DAMPING = 0.1  # Blender's own


def vectors(arrays, name):
    flat = arrays[name][1]
    return [Vector(flat[k : k + 3]) for k in range(0, len(flat), 3)]


class World:
    """The scene. `arrays` and `job` as falsework.render.traditional.bullet writes them."""

    def __init__(self, arrays, job):
        self.job = job
        self.scene = scene = exchange.clear_scene()
        exchange.set_frame_rate(scene, job["fps"])
        scene.gravity = (0.0, 0.0, -job["gravity"])
        last = FIRST + job["settling"] + job["frames"] - 1
        scene.frame_start, scene.frame_end = FIRST, last
        scene.frame_set(FIRST)
        bpy.ops.rigidbody.world_add()
        self.world = world = scene.rigidbody_world
        world.substeps_per_frame = job["substeps"]
        world.solver_iterations = job["iterations"]
        # Else hulls that touch are driven apart by an impulse that they keep.
        world.use_split_impulse = True
        world.point_cache.frame_start = FIRST
        world.point_cache.frame_end = last
        self.bodies = self._collection("bodies")
        world.collection = self.bodies
        self.joints = self._collection("constraints")
        world.constraints = self.joints
        self.rest = vectors(arrays, "centre")
        self.pieces = self._pieces(arrays)
        self._set(arrays)
        self._bonds(arrays)
        self._overlaps(arrays)

    def _collection(self, name):
        made = bpy.data.collections.new(name)
        self.scene.collection.children.link(made)
        return made

    def _body(self, name, points, place):
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata([tuple(point) for point in points], [], [])
        thing = bpy.data.objects.new(name, mesh)
        thing.location = place
        thing.rotation_mode = "QUATERNION"
        self.bodies.objects.link(thing)
        if thing.rigid_body is None:
            with bpy.context.temp_override(object=thing, active_object=thing):
                bpy.ops.rigidbody.object_add()
        exchange.breathe()
        return thing

    def _pieces(self, arrays):
        points, start = vectors(arrays, "hull"), arrays["hull_start"][1]
        mass, friction = arrays["mass"][1], arrays["friction"][1]
        held, meets = arrays["held_until"][1], arrays["meets"][1]
        self.held, pieces = {}, []
        for k in range(len(mass)):
            thing = self._body(f"piece{k}", points[start[k] : start[k + 1]], self.rest[k])
            body = thing.rigid_body
            body.type, body.collision_shape = "ACTIVE", "CONVEX_HULL"
            body.mass, body.friction, body.restitution = mass[k], friction[k], 0.0
            body.use_margin, body.collision_margin = True, self.job["margin"]
            body.linear_damping, body.angular_damping = 0.0, ANGULAR_DAMPING
            body.collision_collections = [bool(meets[k] >> bit & 1) for bit in range(20)]
            if held[k] >= 0:  # -1: free from the first
                body.kinematic = True
                self.held[k] = held[k]
            pieces.append(thing)
        return pieces

    def _set(self, arrays):
        half = Vector((GROUND, GROUND, 5.0))
        self._box("ground", Vector((0.0, 0.0, -5.0)), Quaternion(), half, GROUND_FRICTION, 0)
        middles, halves = vectors(arrays, "box_middle"), vectors(arrays, "box_half")
        turns, bits = arrays["box_turn"][1], arrays["box_bit"][1]
        for k, (middle, half) in enumerate(zip(middles, halves, strict=True)):
            x, y, z, w = turns[4 * k : 4 * k + 4]
            self._box(f"set{k}", middle, Quaternion((w, x, y, z)), half, SET_FRICTION, bits[k])

    def _box(self, name, middle, turn, half, friction, bit):
        corners = [
            Vector((x * half.x, y * half.y, z * half.z)) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)
        ]
        thing = self._body(name, corners, middle)
        thing.rotation_quaternion = turn
        body = thing.rigid_body
        body.type, body.collision_shape, body.friction = "PASSIVE", "BOX", friction
        body.restitution = 0.0
        body.use_margin, body.collision_margin = True, 0.0
        body.collision_collections = [number == bit for number in range(20)]

    def _joint(self, name, place, normal, first, second, kind):
        thing = bpy.data.objects.new(name, None)
        thing.location = place
        thing.rotation_mode = "QUATERNION"
        thing.rotation_quaternion = X.rotation_difference(normal)
        self.joints.objects.link(thing)
        if thing.rigid_body_constraint is None:
            with bpy.context.temp_override(object=thing, active_object=thing):
                bpy.ops.rigidbody.constraint_add()
        joint = thing.rigid_body_constraint
        joint.type = kind
        joint.object1, joint.object2 = first, second
        joint.disable_collisions = True
        exchange.breathe()
        return thing

    def _bonds(self, arrays):
        pair, centre = arrays["bond"][1], vectors(arrays, "bond_centre")
        normal, off = vectors(arrays, "bond_normal"), arrays["off_after"][1]
        self.bonds, self.living = [], {}
        for k in range(len(centre)):
            a, b = pair[2 * k], pair[2 * k + 1]
            thing = self._joint(f"bond{k}", centre[k], normal[k], self.pieces[a], self.pieces[b], "FIXED")
            thing.rigid_body_constraint.use_breaking = True
            thing.rigid_body_constraint.breaking_threshold = UNBREAKABLE
            self.bonds.append((thing, a, b, centre[k] - self.rest[a], centre[k] - self.rest[b], off[k]))
            self.living[k] = None  # an ordered set

    def _overlaps(self, arrays):
        """Pairs that overlap at rest do not meet until they have come free of one another."""
        pair = arrays["overlap"][1]
        axes, reach = vectors(arrays, "overlap_axis"), arrays["overlap_reach"][1]
        points, start = vectors(arrays, "hull"), arrays["hull_start"][1]
        self.overlaps = []
        for k, axis in enumerate(axes):
            a, b = pair[2 * k], pair[2 * k + 1]
            middle = (self.rest[a] + self.rest[b]) / 2
            thing = self._joint(f"overlap{k}", middle, X, self.pieces[a], self.pieces[b], "GENERIC")
            self.overlaps.append((thing, a, b, axis, reach[k], points[start[b] : start[b + 1]]))

    def poses(self):
        """Places and turns of all pieces as they are drawn."""
        graph = bpy.context.evaluated_depsgraph_get()
        places, turns = [], []
        for piece in self.pieces:
            place, turn, _ = piece.evaluated_get(graph).matrix_world.decompose()
            places.append(place)
            turns.append(turn)
        return places, turns

    def _live(self, thing):
        """What the simulation runs on. A change to the thing itself would have Blender make it anew, beside
        the old one in Bullet, which then crashes; a key frame would mend again what Bullet has broken.
        """
        return thing.evaluated_get(bpy.context.evaluated_depsgraph_get())

    def make_breakable(self, most):
        for k in self.living:
            self._live(self.bonds[k][0]).rigid_body_constraint.breaking_threshold = most[k]
            exchange.breathe()

    def break_open(self, frame, places, turns, moved, broken):
        """Switch off the bonds that are cut by now or have come open, and note them in `broken`."""
        most, bend = self.job["open"], math.cos(self.job["bend"] / 2)
        for k in list(self.living):
            thing, a, b, arm_a, arm_b, off = self.bonds[k]
            if not 0 <= off <= frame:
                if not (moved[a] or moved[b]):
                    continue
                gap = places[a] + turns[a] @ arm_a - places[b] - turns[b] @ arm_b
                if gap.length < most and abs(turns[a].dot(turns[b])) > bend:
                    continue
            self._live(thing).rigid_body_constraint.enabled = False
            # What is cut now is first seen open in the next frame.
            broken[k] = frame + 1 if 0 <= off <= frame else frame
            del self.living[k]
        for k in [k for k, last in self.held.items() if last <= frame]:
            self._live(self.pieces[k]).rigid_body.kinematic = False
            del self.held[k]

    def free_parted(self, places, turns, moved):
        left = []
        for entry in self.overlaps:
            thing, a, b, axis, reach, points = entry
            if moved[a] or moved[b]:
                along = turns[a] @ axis
                near = turns[b].inverted() @ along
                low = (places[b] - places[a]).dot(along) + min(point.dot(near) for point in points)
                if low > reach:
                    self._live(thing).rigid_body_constraint.enabled = False
                    continue
            left.append(entry)
        self.overlaps = left


def main():
    folder, job = exchange.begin()
    arrays, _ = exchange.read_flat(folder / "building.safetensors")
    frames, count = job["frames"], len(arrays["mass"][1])
    world = World(arrays, job)
    position, rotation = array("f"), array("f")
    broken = array("i", [-1]) * len(world.bonds)
    # Bullet finds how the load goes only over some frames, in which it must not break anything.
    settling = job["settling"]
    for frame in range(settling):
        world.scene.frame_set(FIRST + frame)
        exchange.breathe()
    for frame in range(frames):
        world.scene.frame_set(FIRST + settling + frame)
        if frame == 0:
            world.make_breakable(arrays["threshold"][1])
        places, turns = world.poses()
        for place, turn in zip(places, turns, strict=True):
            position.extend(place)
            rotation.extend((turn.x, turn.y, turn.z, turn.w))
        moved = [(places[k] - rest).length > job["still"] for k, rest in enumerate(world.rest)]
        world.break_open(frame, places, turns, moved, broken)
        world.free_parted(places, turns, moved)
        exchange.say(frame + 1, frames)
    out = folder / "poses.safetensors"
    exchange.write_flat(
        out,
        {
            "position": ((frames, count, 3), position),
            "rotation": ((frames, count, 4), rotation),
            "broken": ((len(broken),), broken),
        },
    )
    exchange.finish({"frames": frames, "still_overlapping": len(world.overlaps)}, files=[out])


main()
