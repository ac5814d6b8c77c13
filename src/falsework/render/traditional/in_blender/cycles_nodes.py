"""A few words for building shader nodes: numbers and sockets go in, sockets come out."""

import bpy

__all__ = ["Graph", "new_graph"]


def new_graph(material):
    """An empty node tree for a material; the caller links an output."""
    material.use_nodes = True
    material.node_tree.nodes.clear()
    return Graph(material.node_tree)


class Graph:
    """A shader's node tree. Arguments are sockets, numbers or triples; what is not a socket is written into
    the
    node itself."""

    def __init__(self, tree):
        self.tree = tree
        self._once = {}

    def node(self, kind, **settings):
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        return node

    def put(self, socket, value):
        """Link or write `value` into an input."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif hasattr(socket.default_value, "__len__"):
            length = len(socket.default_value)
            triple = list(value) if hasattr(value, "__len__") else [value] * 3
            socket.default_value = [*triple, 1.0][:length]
        else:
            socket.default_value = value

    def once(self, key, make):
        """A socket that several parts share."""
        if key not in self._once:
            self._once[key] = make()
        return self._once[key]

    def math(self, operation, *values, clamp=False):
        node = self.node("ShaderNodeMath", operation=operation, use_clamp=clamp)
        for socket, value in zip(node.inputs, values, strict=False):
            self.put(socket, value)
        return node.outputs[0]

    def add(self, a, b):
        return self.math("ADD", a, b)

    def times(self, a, b):
        return self.math("MULTIPLY", a, b)

    def clamped(self, value, low=0.0, high=1.0):
        return self.math("MINIMUM", self.math("MAXIMUM", value, low), high)

    def smoothstep(self, low, high, value):
        node = self.node("ShaderNodeMapRange", interpolation_type="SMOOTHSTEP")
        for name, number in (("Value", value), ("From Min", low), ("From Max", high)):
            self.put(node.inputs[name], number)
        return node.outputs[0]

    def vector(self, operation, *values):
        """Vector maths; a last number is the scale of "SCALE"."""
        node = self.node("ShaderNodeVectorMath", operation=operation)
        if operation == "SCALE":
            self.put(node.inputs[0], values[0])
            self.put(node.inputs["Scale"], values[1])
        else:
            for socket, value in zip(node.inputs, values, strict=False):
                self.put(socket, value)
        return node.outputs[1 if operation in ("DOT_PRODUCT", "LENGTH", "DISTANCE") else 0]

    def scale(self, vector, number):
        return self.vector("SCALE", vector, number)

    def plus(self, a, b):
        return self.vector("ADD", a, b)

    def product(self, a, b):
        return self.vector("MULTIPLY", a, b)

    def mix(self, share, a, b):
        """a + share (b - a) of triples, not clamped."""
        return self.plus(a, self.scale(self.vector("SUBTRACT", b, a), share))

    def mix_number(self, share, a, b):
        return self.math("MULTIPLY_ADD", self.math("SUBTRACT", b, a), share, a)

    def triple(self, x, y, z):
        node = self.node("ShaderNodeCombineXYZ")
        for socket, value in zip(node.inputs, (x, y, z), strict=False):
            self.put(socket, value)
        return node.outputs[0]

    def parts(self, vector):
        def make():
            node = self.node("ShaderNodeSeparateXYZ")
            self.put(node.inputs[0], vector)
            return tuple(node.outputs)

        return self.once(("parts", vector.as_pointer()), make) if hasattr(vector, "as_pointer") else make()

    def attribute(self, name, output="Vector"):
        """An attribute of the mesh (or the volume's grid); 0 where there is none."""
        node = self.once(("attribute", name), lambda: self.node("ShaderNodeAttribute", attribute_name=name))
        return node.outputs[output]

    def read(self, kind, output):
        """An output of an input node that needs no settings."""
        return self.once(kind, lambda: self.node(kind)).outputs[output]

    def image(self, picture, place, *, interpolation="Linear", extension="EXTEND"):
        """Colour and alpha of a picture at a place (0..1, y up)."""
        node = self.node(
            "ShaderNodeTexImage", image=picture, interpolation=interpolation, extension=extension
        )
        self.put(node.inputs["Vector"], place)
        return node.outputs["Color"], node.outputs["Alpha"]

    def group(self, tree, *values):
        node = self.node("ShaderNodeGroup", node_tree=tree)
        for socket, value in zip(node.inputs, values, strict=False):
            self.put(socket, value)
        return tuple(node.outputs)

    def turned(self, vector, source, target):
        """A direction from one space ("WORLD", "OBJECT") into another."""
        node = self.node(
            "ShaderNodeVectorTransform", vector_type="VECTOR", convert_from=source, convert_to=target
        )
        self.put(node.inputs[0], vector)
        return node.outputs[0]

    def shader(self, kind, **values):
        """A shader; values by the names of its inputs, "_" for a blank."""
        node = self.node(kind)
        for name, value in values.items():
            self.put(node.inputs[name.replace("_", " ")], value)
        return node.outputs[0]

    def mix_shader(self, share, a, b):
        node = self.node("ShaderNodeMixShader")
        self.put(node.inputs[0], share)
        self.tree.links.new(a, node.inputs[1])
        self.tree.links.new(b, node.inputs[2])
        return node.outputs[0]

    def add_shader(self, a, b):
        node = self.node("ShaderNodeAddShader")
        self.tree.links.new(a, node.inputs[0])
        self.tree.links.new(b, node.inputs[1])
        return node.outputs[0]

    def output(self, surface=None, volume=None):
        node = self.node("ShaderNodeOutputMaterial")
        if surface is not None:
            self.tree.links.new(surface, node.inputs["Surface"])
        if volume is not None:
            self.tree.links.new(volume, node.inputs["Volume"])

    def aov(self, name, value):
        node = self.node("ShaderNodeOutputAOV")
        if hasattr(node, "aov_name"):  # 4.2 and later
            node.aov_name = name
        else:
            node.name = name
        self.put(node.inputs["Value"], value)
