"""One shot as Blender's objects: camera, light, set, fragments with their motion, chips, dust."""

from array import array

import bpy
from mathutils import Matrix, Vector

import exchange
from cycles_materials import STATES, Materials

__all__ = ["Scene"]

FAR = 600.0  # metres of ground in every direction
WAYS = ("camera", "diffuse", "glossy", "transmission", "volume_scatter", "shadow")


class Scene:
    """Everything that is in the picture.

    job     the scene's description, arrays  its flat arrays by name (see scene_files.py)
    """

    def __init__(self, job, arrays, folder):
        self.scene = bpy.context.scene
        self._job, self._folder = job, folder
        self._pictures = {name: _picture(folder / file) for name, file in job["pictures"].items()}
        self._materials = Materials(job, self._pictures)
        self._camera()
        self._light()
        self.set_objects = self._set()
        self.fragments = self._fragments(arrays)
        self._animate(arrays)
        self.chips = self._object("debris", bpy.data.meshes.new("debris"))
        for material in self._materials.stuff:
            self.chips.data.materials.append(material)
        self._volume_material = self._materials.dust()
        self.dust = None
        self.curtain = self._curtain()

    # ---- what stays --------------------------------------------------------------------------------------

    def _object(self, name, data):
        thing = bpy.data.objects.new(name, data)
        self.scene.collection.objects.link(thing)
        return thing

    def _camera(self):
        about = self._job["camera"]
        data = bpy.data.cameras.new("plate camera")
        data.sensor_fit = "HORIZONTAL"
        data.sensor_width = 36.0
        data.clip_start, data.clip_end = 0.05, 5000.0
        camera = self._object("plate camera", data)
        right, down, forward = (Vector(row) for row in about["rotation"])
        turn = Matrix((right, -down, -forward)).transposed().to_4x4()
        camera.matrix_world = Matrix.Translation(about["position"]) @ turn
        self.scene.camera = camera
        self.frame_picture(0)

    def frame_picture(self, pad_top):
        """Look at the plate's picture with `pad_top` rows more above it."""
        about, data, render = self._job["camera"], self.scene.camera.data, self.scene.render
        width, height = about["width"], about["height"] + pad_top
        x, y = about["centre"][0], about["centre"][1] + pad_top
        data.lens = about["focal"] / width * data.sensor_width
        data.shift_x = (width / 2 - x) / width
        data.shift_y = (y - height / 2) / width
        render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
        render.pixel_aspect_x = render.pixel_aspect_y = 1.0

    def _light(self):
        about = self._job["light"]
        lamp = bpy.data.lights.new("sun", "SUN")
        strength = max(max(about["sun"]), 1e-6)
        lamp.energy = strength
        lamp.color = [part / strength for part in about["sun"]]
        lamp.angle = about["sun_angle"]
        # Sampled as a lamp alone: a stray ray that finds its disc would get past what shades it.
        lamp.cycles.use_multiple_importance_sampling = False
        sun = self._object("sun", lamp)
        towards = Vector(about["sun_direction"])
        sun.matrix_world = towards.to_track_quat("Z", "Y").to_matrix().to_4x4()
        world = bpy.data.worlds.new("sky")
        world.use_nodes = True
        background = next(node for node in world.node_tree.nodes if node.type == "BACKGROUND")
        background.inputs["Color"].default_value = [*about["sky_radiance"], 1.0]
        background.inputs["Strength"].default_value = 1.0
        self.scene.world = world
        if about["shade"]:
            self._object(
                "shade",
                self._quads("shade", [about["shade"]], self._materials.blocker(about["sun_direction"])),
            )
            shade = self.scene.objects["shade"]
            for way in ("camera", "diffuse", "glossy", "transmission", "volume_scatter"):
                setattr(shade, f"visible_{way}", False)

    def _quads(self, name, quads, material):
        mesh = bpy.data.meshes.new(name)
        corners = [corner for quad in quads for corner in quad]
        mesh.from_pydata(corners, [], [tuple(range(4 * n, 4 * n + 4)) for n in range(len(quads))])
        mesh.materials.append(material)
        return mesh

    def _set(self):
        x, y = self._job["camera"]["position"][:2]
        ground = [
            (x - FAR, y - FAR, 0.0),
            (x + FAR, y - FAR, 0.0),
            (x + FAR, y + FAR, 0.0),
            (x - FAR, y + FAR, 0.0),
        ]
        parts = [("ground", ground, self._job["ground_albedo"])]
        parts += [(plane["name"], plane["corners"], plane["albedo"]) for plane in self._job["planes"]]
        return [
            self._object(name, self._quads(name, [corners], self._materials.flat(name, albedo)))
            for name, corners, albedo in parts
        ]

    def _curtain(self):
        """Cards for what stands before the building, which the camera alone sees."""
        arrays, _ = exchange.read_flat(self._folder / "curtain.safetensors")
        mesh = bpy.data.meshes.new("curtain")
        corners = arrays["corner"][1]
        faces = len(corners) // 3
        _fill_mesh(mesh, arrays["place"][1], corners, array("i", [0]) * faces, None)
        curtain = self._object("curtain", mesh)
        curtain.is_holdout = curtain.hide_render = True
        for way in ("diffuse", "glossy", "transmission", "volume_scatter", "shadow"):
            setattr(curtain, f"visible_{way}", False)
        return curtain

    def _fragments(self, arrays):
        """An object for each fragment, about its centre of mass."""
        flat = {name: values for name, (_, values) in arrays.items()}
        vertex_start, face_start = flat["vertex_start"], flat["face_start"]
        materials = [self._materials.plate, *self._materials.stuff]
        objects = []
        for index, name in enumerate(self._job["names"]):
            v0, v1 = vertex_start[index], vertex_start[index + 1]
            f0, f1 = face_start[index], face_start[index + 1]
            mesh = bpy.data.meshes.new(name)
            _fill_mesh(
                mesh,
                flat["local"][3 * v0 : 3 * v1],
                flat["corner"][3 * f0 : 3 * f1],
                flat["surface"][f0:f1],
                flat["flat"][6 * f0 : 6 * f1],
            )
            _attribute(mesh, "rest", "POINT", flat["rest"][3 * v0 : 3 * v1])
            _attribute(mesh, "broken", "FACE", flat["broken"][f0:f1])
            for what in ("own", "room", "paper"):
                _attribute(mesh, what, "FACE", array("f", flat[what][3 * index : 3 * index + 3] * (f1 - f0)))
            _attribute(mesh, "number", "FACE", array("f", [index + 1.0]) * (f1 - f0))
            used = sorted(set(flat["surface"][f0:f1]))
            # Only the materials it shows, or every object would carry all of them.
            for slot in used:
                mesh.materials.append(materials[slot])
            place = {slot: number for number, slot in enumerate(used)}
            mesh.polygons.foreach_set(
                "material_index", array("i", [place[slot] for slot in flat["surface"][f0:f1]])
            )
            thing = self._object(name, mesh)
            thing.rotation_mode = "QUATERNION"
            thing.location = flat["centre"][3 * index : 3 * index + 3]
            objects.append(thing)
        return objects

    def _animate(self, arrays):
        """Keys at every frame for what ever moves, straight lines between them."""
        frames = self._job["frames"]
        moving = arrays["moving"][1]
        keys = arrays["keys"][1]  # moving object, channel, frame
        times = array("f", [float(frame) for frame in range(frames)])
        for number, index in enumerate(moving):
            thing = self.fragments[index]
            curves = _curves(thing)
            for channel in range(7):
                path, part = ("location", channel) if channel < 3 else ("rotation_quaternion", channel - 3)
                curve = curves.new(path, index=part)
                curve.keyframe_points.add(frames)
                start = (number * 7 + channel) * frames
                points = array("f", [0.0]) * (2 * frames)
                points[0::2] = times
                points[1::2] = keys[start : start + frames]
                curve.keyframe_points.foreach_set("co", points)
                curve.keyframe_points.foreach_set("interpolation", array("i", [LINEAR]) * frames)
                curve.update()

    # ---- what changes with the frame ----------------------------------------------------------------------

    def place(self, frame, states, chips, volume):
        """Show one frame. states (fragments,) of the pass index; chips: flat arrays; volume: a VDB file or
        None."""
        self.scene.frame_set(frame)
        self._states = states
        self._fill_chips(chips)
        if volume is None:
            if self.dust is not None:
                self.dust.hide_render = True
        else:
            if self.dust is None:
                self.dust = self._object("dust", bpy.data.volumes.new("dust"))
                self.dust.data.materials.append(self._volume_material)
                self.dust.data.render.step_size = 0.0
            self.dust.hide_render = False
            self.dust.data.filepath = str(volume)
            self.dust.data.grids.load()

    def _fill_chips(self, chips):
        mesh = self.chips.data
        mesh.clear_geometry()
        self._has_chips = bool(chips) and len(chips["corner"][1]) > 0
        if not self._has_chips:
            return
        flat = {name: values for name, (_, values) in chips.items()}
        _fill_mesh(mesh, flat["place"], flat["corner"], flat["material"], flat["flat"])
        for what in ("rest", "own", "room", "paper", "coat", "broken", "number", "velocity"):
            _attribute(mesh, what, "POINT", flat[what])

    def show(self, what):
        """Set the scene up for one kind of picture.

        "surface": what has moved, everything else held out; "light": what stands, as plaster; "bare": the set
        alone, as plaster; "dust": dust alone; "dust_front": dust before the occluders, and either as black
        "_alpha"; "measure": everything as it is.
        """
        self.curtain.hide_render = not what.startswith("dust_front")
        mode = {"surface": 0, "measure": 2}.get(what, 1) * STATES
        hold_all = what.startswith("dust")
        for index, thing in enumerate(self.fragments):
            state = self._states[index]
            _put(thing, "pass_index", state + mode)
            _put(thing, "is_holdout", hold_all)
            # Out of every ray's sight rather than hidden: what is hidden Cycles forgets, and has to be handed
            # all of it again for the next picture.
            for way in WAYS:
                seen = what != "bare" and not (way == "camera" and what == "light" and state != 0)
                _put(thing, f"visible_{way}", seen)
        self.chips.pass_index = 1 + mode
        self.chips.is_holdout = hold_all
        self.chips.hide_render = what == "bare" or not self._has_chips
        self.chips.visible_camera = what != "light"
        for thing in self.set_objects:
            _put(thing, "is_holdout", hold_all or what == "surface")
            _put(thing, "pass_index", mode)
        if self.dust is not None:
            self.dust.pass_index = STATES * (3 if what.endswith("alpha") else 1) if hold_all else 0

    def reload(self, name, file):
        """Take a picture anew from a file."""
        picture = self._pictures[name]
        picture.filepath = str(self._folder / file)
        picture.reload()


def _put(thing, name, value):
    """Set what differs: whatever is written, Blender takes for changed."""
    if getattr(thing, name) != value:
        setattr(thing, name, value)


def _picture(path):
    picture = bpy.data.images.load(str(path))
    picture.colorspace_settings.name = "Non-Color"
    picture.alpha_mode = "CHANNEL_PACKED"
    return picture


def _fill_mesh(mesh, places, corners, slots, flat):
    faces = len(corners) // 3
    mesh.vertices.add(len(places) // 3)
    mesh.loops.add(3 * faces)
    mesh.polygons.add(faces)
    mesh.vertices.foreach_set("co", places)
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.foreach_set("loop_start", array("i", range(0, 3 * faces, 3)))
    if bpy.app.version < (4, 1):
        mesh.polygons.foreach_set("loop_total", array("i", [3]) * faces)
        mesh.polygons.foreach_set("use_smooth", array("b", [0]) * faces)
    mesh.polygons.foreach_set("material_index", slots)
    if flat is not None:
        layer = mesh.uv_layers.new(name="flat", do_init=False)
        layer.data.foreach_set("uv", flat)
    mesh.update(calc_edges=True)


def _attribute(mesh, name, domain, values):
    count = len(mesh.vertices) if domain == "POINT" else len(mesh.polygons)
    kind = "FLOAT" if len(values) == count else "FLOAT_VECTOR"
    layer = mesh.attributes.get(name) or mesh.attributes.new(name, kind, domain)
    layer.data.foreach_set("value" if kind == "FLOAT" else "vector", values)


LINEAR = next(
    item.value
    for item in bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items
    if item.identifier == "LINEAR"
)


def _curves(thing):
    """An empty set of animation curves for an object; Blender 4.4 put slots and layers between."""
    action = bpy.data.actions.new(thing.name)
    data = thing.animation_data_create()
    data.action = action
    if not hasattr(action, "layers"):
        return action.fcurves
    slot = action.slots.new(id_type="OBJECT", name=thing.name)
    data.action_slot = slot
    strip = action.layers.new("motion").strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True).fcurves
