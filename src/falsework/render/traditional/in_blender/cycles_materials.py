"""What fragments, chips, set and dust are made of, as Cycles' nodes.

The formulas are those of falsework.render's own shaders (material.glsl, shade.frag.glsl), so that both
renderers show the same matter and differ in light alone.
"""

import bpy

from cycles_nodes import Graph, new_graph

__all__ = ["STATES", "Materials"]

# Object's pass index: state + STATES * mode. State 0: stands untouched; others 1 + 1000 * (share of the dust
# that has settled on it). Mode 0: what moves, and holes where something stands; mode 1: the camera sees grey
# plaster, whose radiance tells the light; mode 2: all as it is.
STATES = 4096
FLAT = 0.5
SHARP_DETAIL = 60.0
LEAVES = 4.0  # times the share of dust that has settled: gone after 0.6 s


class Materials:
    """All materials of one shot.

    job       the scene's description (see scene_files.py)
    pictures  by name, as Blender holds them
    """

    def __init__(self, job, pictures):
        self._job, self._pictures = job, pictures
        self._project_tree = self._make_projection()
        self._noise_tree = self._make_noise()
        self.plate = self._make("plate", self._plate)
        self.stuff = [self._make(look["name"], self._stuff, look) for look in job["looks"]]
        self.plain = {}

    def _make(self, name, build, *arguments):
        material = bpy.data.materials.new(name)
        graph = new_graph(material)
        build(graph, *arguments)
        _no_lamp(material)
        return material

    # ---- pieces -------------------------------------------------------------------------------------------

    def _make_projection(self):
        """World place to the plate's picture: (x, y up) in 0..1, and depth along the optical axis."""
        camera = self._job["camera"]
        tree = bpy.data.node_groups.new("plate camera", "ShaderNodeTree")
        graph = Graph(tree)
        source, sink = _group_ends(
            tree, [("place", "NodeSocketVector")], [("at", "NodeSocketVector"), ("depth", "NodeSocketFloat")]
        )
        away = graph.vector("SUBTRACT", source.outputs[0], camera["position"])
        x, y, depth = (graph.vector("DOT_PRODUCT", away, row) for row in camera["rotation"])
        width, height, focal = camera["width"], camera["height"], camera["focal"]
        inverse = graph.math("DIVIDE", 1.0, graph.math("MAXIMUM", depth, 1e-3))
        across = graph.math(
            "MULTIPLY_ADD", graph.times(x, inverse), focal / width, camera["centre"][0] / width
        )
        down = graph.math(
            "MULTIPLY_ADD", graph.times(y, inverse), focal / height, camera["centre"][1] / height
        )
        tree.links.new(graph.triple(across, graph.math("SUBTRACT", 1.0, down), 0.0), sink.inputs[0])
        tree.links.new(depth, sink.inputs[1])
        return tree

    def _make_noise(self):
        """Tiling noise of three octaves at a place in repeats, from slices laid side by side in one
        picture."""
        size, columns, rows = (
            self._job["noise"]["size"],
            self._job["noise"]["columns"],
            self._job["noise"]["rows"],
        )
        tree = bpy.data.node_groups.new("lobe noise", "ShaderNodeTree")
        graph = Graph(tree)
        source, sink = _group_ends(tree, [("place", "NodeSocketVector")], [("octaves", "NodeSocketVector")])
        x, y, z = graph.parts(graph.vector("FRACTION", source.outputs[0]))
        level = graph.math("MULTIPLY_ADD", z, float(size), -0.5)
        first = graph.math("FLOOR", level)
        share = graph.math("SUBTRACT", level, first)
        u, v = (graph.math("MULTIPLY_ADD", part, float(size), 1.0) for part in (x, y))
        seen = []
        for step in (0.0, 1.0):
            slab = graph.math("WRAP", graph.add(first, step + 0.5), float(size), 0.0)
            row = graph.math("FLOOR", graph.math("DIVIDE", slab, float(columns)))
            column = graph.math("FLOOR", graph.math("SUBTRACT", slab, graph.times(row, float(columns))))
            edge = size + 2.0
            at_x = graph.math("DIVIDE", graph.math("MULTIPLY_ADD", column, edge, u), edge * columns)
            at_y = graph.math("DIVIDE", graph.math("MULTIPLY_ADD", row, edge, v), edge * rows)
            seen.append(graph.image(self._pictures["noise"], graph.triple(at_x, at_y, 0.0))[0])
        tree.links.new(graph.mix(share, *seen), sink.inputs[0])
        return tree

    def _noise(self, graph, place):
        return graph.group(self._noise_tree, place)[0]

    def _project(self, graph, place):
        return graph.group(self._project_tree, place)

    def _state(self, graph):
        """Mode and state of the object, as numbers."""

        def make():
            index = graph.read("ShaderNodeObjectInfo", "Object Index")
            mode = graph.math("FLOOR", graph.math("DIVIDE", graph.add(index, 0.5), float(STATES)))
            return mode, graph.math("SUBTRACT", index, graph.times(mode, float(STATES)))

        return graph.once("state", make)

    def _camera_ray(self, graph):
        return graph.read("ShaderNodeLightPath", "Is Camera Ray")

    def _coat(self, graph, rest, up):
        """Share of a surface that settled dust hides."""
        _, state = self._state(graph)
        settled = graph.clamped(graph.math("DIVIDE", graph.math("SUBTRACT", state, 1.0), 1000.0))
        patchy = graph.parts(self._noise(graph, graph.scale(rest, 1 / 3.1)))[1]
        share = graph.math("MULTIPLY_ADD", graph.math("MAXIMUM", up, 0.0), 0.45, 0.30)
        share = graph.add(share, graph.math("MULTIPLY_ADD", patchy, 0.5, -0.25))
        fallen = graph.clamped(graph.times(settled, share), 0.0, 0.85)
        # Grit flies in the dust it makes.
        return graph.math("MAXIMUM", fallen, graph.attribute("coat", "Fac"))

    def _finish(self, graph, colour, plain, normal=None, glow=None, hole=None):
        """From a colour to the material's output: plaster in mode 1, held out where it stands as in the
        plate.

        plain: the colour that light bounces off with, a mean: no picture shows the difference, and Cycles
        leaves the rest of the nodes alone for all rays but the camera's
        glow: light of its own, for the camera; hole: 1 where the plate shows something else.
        """
        mode, state = self._state(graph)
        camera = self._camera_ray(graph)
        measured = graph.times(graph.math("COMPARE", mode, 1.0, 0.5), camera)
        diffuse = {"Color": graph.mix(measured, colour, (FLAT,) * 3)}
        if normal is not None:
            diffuse["Normal"] = normal
        shader = graph.shader("ShaderNodeBsdfDiffuse", **diffuse)
        if glow is not None:
            strength = graph.math("SUBTRACT", camera, measured)
            shader = graph.add_shader(
                shader, graph.shader("ShaderNodeEmission", Color=glow, Strength=strength)
            )
        if hole is not None:
            shader = graph.mix_shader(
                graph.times(hole, camera), shader, graph.shader("ShaderNodeBsdfTransparent")
            )
        # What stands, and was seen in the plate, is the plate. An inner face that was never seen is a
        # surface.
        at, depth = self._project(graph, graph.read("ShaderNodeNewGeometry", "Position"))
        far, _ = graph.image(self._pictures["far"], at, interpolation="Closest", extension="CLIP")
        seen = graph.math("LESS_THAN", depth, graph.parts(far)[0])
        held = graph.times(graph.math("LESS_THAN", state, 0.5), seen)
        held = graph.times(graph.times(held, camera), graph.math("LESS_THAN", mode, 0.5))
        graph.aov("hold", held)
        number = graph.attribute("number", "Fac")
        # Nothing is counted where the ray goes on.
        graph.aov(
            "number", number if hole is None else graph.times(number, graph.math("SUBTRACT", 1.0, hole))
        )
        seen_by_camera = graph.mix_shader(held, shader, graph.shader("ShaderNodeHoldout"))
        bounced = graph.shader("ShaderNodeBsdfDiffuse", Color=plain)
        graph.output(graph.mix_shader(camera, bounced, seen_by_camera))

    # ---- materials ----------------------------------------------------------------------------------------

    def _plate(self, graph):
        """The plate's own pixels, freed of the light they were taken in (delight.py)."""
        camera, pad = self._job["camera"], self._job["pad_top"]
        rest = graph.attribute("rest")
        at, _ = self._project(graph, rest)
        x, y, _ = graph.parts(at)
        share = camera["height"] / (camera["height"] + pad)
        place = graph.triple(x, graph.times(y, share), 0.0)
        albedo, cover = graph.image(self._pictures["albedo"], place)
        glow, _ = graph.image(self._pictures["residue"], place)
        inside = graph.times(
            graph.math("COMPARE", x, 0.5, 0.5), graph.math("COMPARE", graph.parts(place)[1], 0.5, 0.5)
        )
        albedo = graph.mix(inside, self._job["plate_albedo"], albedo)
        hole = graph.times(inside, graph.math("LESS_THAN", cover, 0.35))
        normal = graph.read("ShaderNodeNewGeometry", "Normal")
        coat = graph.times(self._coat(graph, rest, graph.parts(normal)[2]), 0.6)
        albedo = graph.mix(coat, albedo, self._job["dust_albedo"])
        # What the model's light did not explain stays while a wall hangs where it was photographed, and goes
        # when it has long left.
        _, state = self._state(graph)
        stays = graph.clamped(graph.math("MULTIPLY_ADD", state, -LEAVES / 1000.0, 1.0 + LEAVES / 1000.0))
        glow = graph.scale(glow, graph.times(graph.times(inside, stays), graph.math("SUBTRACT", 1.0, coat)))
        self._finish(graph, albedo, tuple(self._job["plate_albedo"]), glow=glow, hole=hole)

    def _stuff(self, graph, look):
        """A material of the inside, as material.glsl looks at it."""
        focal = self._job["camera"]["focal"]
        rest, own, room = (graph.attribute(name) for name in ("rest", "own", "room"))
        broken = graph.attribute("broken", "Fac")
        flat = graph.attribute("flat")
        across, up, _ = graph.parts(flat)
        depth = graph.read("ShaderNodeCameraData", "View Z Depth")
        sharp = graph.clamped(graph.math("MULTIPLY_ADD", depth, -SHARP_DETAIL / focal, 2.0))
        rough_place = graph.plus(graph.scale(rest, 1 / 0.9), graph.scale(own, 3.0))
        rough = self._noise(graph, rough_place)
        broad = self._noise(graph, graph.plus(graph.scale(rest, 1 / 4.3), own))
        own_x, own_y, _ = graph.parts(own)
        albedo = tuple(look["albedo"])
        if look["texture"]:
            seen, _ = graph.image(
                self._pictures[look["texture"]], graph.scale(flat, 1 / look["tile"]), extension="REPEAT"
            )
            albedo = graph.product(seen, albedo)
        name = look["name"]
        if name in ("wallpaper", "plaster"):
            strength = graph.math("MULTIPLY_ADD", broken, -0.8, 1.0)
            strength = graph.times(strength, 1.0 if name == "wallpaper" else 0.45)
            albedo = graph.product(albedo, graph.mix(strength, (1.0,) * 3, graph.attribute("paper")))
        if name == "wallpaper":
            whole = graph.math("LESS_THAN", broken, 0.5)
            _, room_y, room_z = graph.parts(room)
            tiled = graph.times(whole, graph.math("GREATER_THAN", room_y, 0.78))
            joint = graph.math(
                "MAXIMUM",
                *(
                    graph.math(
                        "ABSOLUTE",
                        graph.math("SUBTRACT", graph.math("FRACT", graph.math("DIVIDE", part, 0.15)), 0.5),
                    )
                    for part in (across, up)
                ),
            )
            grout = graph.times(sharp, graph.math("GREATER_THAN", joint, 0.46))
            period = graph.math("MULTIPLY_ADD", room_z, 0.2, 0.18)
            wave = graph.math(
                "ABSOLUTE",
                graph.math("SUBTRACT", graph.math("FRACT", graph.math("DIVIDE", across, period)), 0.5),
            )
            stripe = graph.smoothstep(0.35, 0.65, graph.times(wave, 2.0))
            striped = graph.math("MULTIPLY_ADD", graph.times(stripe, sharp), -0.16, 1.0)
            papered = graph.mix(whole, albedo, graph.scale(albedo, striped))
            albedo = graph.mix(tiled, papered, graph.mix(grout, (0.55, 0.56, 0.54), (0.30,) * 3))
            dirt = graph.math("MULTIPLY_ADD", graph.parts(broad)[1], 0.28, 0.86)
            albedo = graph.mix(whole, albedo, graph.scale(albedo, dirt))
        elif name == "timber":
            grain = graph.parts(self._noise(graph, graph.plus(graph.product(rest, (0.25, 0.25, 2.6)), own)))[
                2
            ]
            tone = graph.times(
                graph.math("MULTIPLY_ADD", grain, 0.7, 0.65), graph.math("MULTIPLY_ADD", own_x, 0.5, 0.75)
            )
            albedo = graph.mix(graph.times(broken, 0.6), graph.scale(albedo, tone), (0.42, 0.31, 0.19))
        elif name == "roofing":
            rise = graph.math("DIVIDE", up, 0.22)
            course = graph.math("FLOOR", rise)
            odd = graph.math("FRACT", graph.times(course, 0.5))
            slate = graph.math("FLOOR", graph.add(graph.math("DIVIDE", across, 0.3), odd))
            white = graph.node("ShaderNodeTexWhiteNoise", noise_dimensions="2D")
            graph.put(white.inputs["Vector"], graph.triple(course, slate, 0.0))
            tone = graph.math("MULTIPLY_ADD", white.outputs["Value"], 0.6, 0.7)
            edge = graph.times(sharp, graph.math("GREATER_THAN", graph.math("FRACT", rise), 0.88))
            albedo = graph.scale(albedo, graph.times(tone, graph.math("MULTIPLY_ADD", edge, -0.35, 1.0)))
        elif name == "clutter":
            turns = graph.plus(graph.triple(own_x, own_x, own_x), (0.0, 0.33, 0.67))
            hue = graph.vector("COSINE", graph.scale(turns, 6.2831853))
            coloured = graph.product(albedo, graph.plus(graph.scale(hue, 0.5), (1.0,) * 3))
            albedo = graph.scale(
                graph.mix(0.7, albedo, coloured), graph.math("MULTIPLY_ADD", own_y, 1.6, 0.5)
            )
        elif name != "glass" and name not in ("wallpaper", "plaster"):
            albedo = graph.scale(albedo, graph.math("MULTIPLY_ADD", own_x, 0.3, 0.85))
        # A fresh break is lighter, less coloured and rougher than what weather and hands have been at.
        rough_r, rough_g, _ = graph.parts(rough)
        grey = graph.vector("DOT_PRODUCT", albedo, (0.27, 0.67, 0.06))
        fresh = graph.mix(0.25, albedo, graph.triple(grey, grey, grey))
        fresh = graph.plus(graph.scale(fresh, graph.math("MULTIPLY_ADD", rough_r, 0.25, 1.05)), (0.03,) * 3)
        fresh = graph.scale(fresh, graph.math("MULTIPLY_ADD", rough_g, 0.24, 0.88))
        worn = graph.scale(albedo, graph.math("MULTIPLY_ADD", rough_g, 0.16, 0.92))
        albedo = graph.mix(broken, worn, fresh)
        albedo = graph.scale(albedo, graph.math("MULTIPLY_ADD", graph.parts(broad)[2], 0.40, 0.80))
        albedo = graph.vector("MINIMUM", graph.vector("MAXIMUM", albedo, (0.015,) * 3), (0.85,) * 3)
        # Pits finer than the mesh keep light in.
        deep = graph.clamped(graph.math("MULTIPLY_ADD", rough_r, 0.75, 0.55))
        share = graph.math("MULTIPLY_ADD", broken, 0.4, 0.3)
        albedo = graph.scale(albedo, graph.mix_number(share, 1.0, deep))
        geometry = graph.read("ShaderNodeNewGeometry", "Normal")
        coat = self._coat(graph, rest, graph.parts(geometry)[2])
        albedo = graph.mix(coat, albedo, self._job["dust_albedo"])
        normal = None if name == "glass" else self._bumped(graph, geometry, rough_place, rough, broken, sharp)
        self._finish(graph, albedo, tuple(look["albedo"]), normal)

    def _bumped(self, graph, normal, place, here, broken, sharp):
        """The normal turned by the slope of the noise, in the world."""
        relief = (0.6, 0.3, 0.1)
        level = graph.vector("DOT_PRODUCT", here, relief)
        slopes = []
        for axis in range(3):
            step = tuple(0.03 if other == axis else 0.0 for other in range(3))
            there = graph.vector("DOT_PRODUCT", self._noise(graph, graph.plus(place, step)), relief)
            slopes.append(graph.math("SUBTRACT", there, level))
        strength = graph.times(graph.math("MULTIPLY_ADD", broken, 1.4, 0.3), sharp)
        bump = graph.turned(graph.scale(graph.triple(*slopes), strength), "OBJECT", "WORLD")
        along = graph.scale(normal, graph.vector("DOT_PRODUCT", bump, normal))
        turned = graph.vector("SUBTRACT", normal, graph.vector("SUBTRACT", bump, along))
        return graph.vector("NORMALIZE", turned)

    def flat(self, name, albedo):
        """One colour, for ground and set."""

        def build(graph):
            mode, _ = self._state(graph)
            colour = graph.mix(
                graph.times(graph.math("COMPARE", mode, 1.0, 0.5), self._camera_ray(graph)),
                albedo,
                (FLAT,) * 3,
            )
            graph.output(graph.shader("ShaderNodeBsdfDiffuse", Color=colour))

        return self._make(name, build)

    def blocker(self, sun_direction):
        """Stops what comes from the sun and nothing else."""

        def build(graph):
            towards = graph.vector(
                "DOT_PRODUCT", graph.read("ShaderNodeNewGeometry", "Incoming"), sun_direction
            )
            # Sun's own disc is 0.27 degrees wide about its direction.
            clear = graph.math("LESS_THAN", graph.math("ABSOLUTE", towards), 0.9999)
            black = graph.shader("ShaderNodeBsdfDiffuse", Color=(0.0, 0.0, 0.0))
            graph.output(graph.mix_shader(clear, black, graph.shader("ShaderNodeBsdfTransparent")))

        return self._make("shade", build)

    def dust(self):
        """Dust: extinction by mass, two lobes, forward and back. In mode 0 the camera looks through it."""
        about = self._job["dust"]

        def build(graph):
            mode, _ = self._state(graph)
            grams = graph.attribute("density", "Fac")
            sigma = graph.times(grams, about["extinction"])
            sigma = graph.math("DIVIDE", sigma, graph.math("MULTIPLY_ADD", sigma, 1 / about["densest"], 1.0))
            blind = graph.times(self._camera_ray(graph), graph.math("LESS_THAN", mode, 0.5))
            sigma = graph.times(sigma, graph.math("SUBTRACT", 1.0, blind))
            # In mode 3 it is black: what it hides is then no matter of chance.
            pale = graph.math("LESS_THAN", mode, 2.5)
            albedo = graph.scale(tuple(about["albedo"]), pale)
            scattered = graph.times(sigma, pale)
            matter = graph.shader("ShaderNodeVolumeAbsorption", Color=albedo, Density=sigma)
            for weight, g in about["lobes"]:
                matter = graph.add_shader(
                    matter,
                    graph.shader(
                        "ShaderNodeVolumeScatter",
                        Color=albedo,
                        Density=graph.times(scattered, weight),
                        Anisotropy=g,
                    ),
                )
            graph.output(volume=matter)

        material = self._make("dust", build)
        if hasattr(material, "volume_intersection_method"):
            material.volume_intersection_method = "ACCURATE"
        return material


def _group_ends(tree, inputs, outputs):
    if hasattr(tree, "interface"):  # 4.0 and later
        for names, way in ((inputs, "INPUT"), (outputs, "OUTPUT")):
            for name, kind in names:
                tree.interface.new_socket(name, in_out=way, socket_type=kind)
    else:
        for names, sockets in ((inputs, tree.inputs), (outputs, tree.outputs)):
            for name, kind in names:
                sockets.new(kind, name)
    return tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")


def _no_lamp(material):
    """Keep a material's glow, which only the camera sees, out of the lamps that are sampled."""
    if hasattr(material.cycles, "emission_sampling"):
        material.cycles.emission_sampling = "NONE"
    else:
        material.cycles.sample_as_light = False
