"""Render meshes of fragments: flat where they are the building's surface, rough where they broke."""

from __future__ import annotations

import numba as nb
import numpy as np

from falsework.building.polyhedra import face_measures
from falsework.building.relief import BRICK, PLAIN, relief

__all__ = ["EXTERIOR", "FRESH", "JOINT", "skin"]

# What a face of a cell is.
EXTERIOR = 0  # a surface of the element
FRESH = 1  # shared with another fragment of the element
JOINT = 2  # a joint inside a facade wall, with openings' reveals in it

JOINT_RELIEF = 0.03  # metres: joints belong to two elements, whose fragments' sizes differ, so it is fixed
REVEAL = 0.03  # metres: joint triangles this near an opening's edge are its reveal


@nb.njit(cache=True)
def _turn(a, b, c, normal):  # type: ignore[no-untyped-def]
    """Twice the area of a triangle seen along a normal, positive counter-clockwise."""
    return np.dot(np.cross(b - a, c - a), normal)


@nb.njit(cache=True)
def _ears(vertices, border, length, normal, triangles, made):  # type: ignore[no-untyped-def]
    """Triangles of a plane outline with notches, by cutting off ears; returns the new number of triangles."""
    left = length
    ring = border[:length].copy()
    at = 0
    tried = 0
    while left > 3:
        i, j, k = (at - 1 + left) % left, at % left, (at + 1) % left
        a, b, c = vertices[ring[i]], vertices[ring[j]], vertices[ring[k]]
        area = _turn(a, b, c, normal)
        ear = area > 1e-10
        if ear:
            for q in range(left):
                if q in (i, j, k):
                    continue
                p = vertices[ring[q]]
                if (
                    _turn(a, b, p, normal) >= 0
                    and _turn(b, c, p, normal) >= 0
                    and _turn(c, a, p, normal) >= 0
                ):
                    ear = False
                    break
        tried += 1
        if ear or (abs(area) <= 1e-10 and tried > left) or tried > 3 * left:
            triangles[made, 0], triangles[made, 1], triangles[made, 2] = ring[i], ring[j], ring[k]
            made += 1
            for q in range(j, left - 1):
                ring[q] = ring[q + 1]
            left -= 1
            tried = 0
            at = j + 1  # not the neighbour at once, or long fans grow from one corner
        else:
            at = (at + 1) % left
    triangles[made, 0], triangles[made, 1], triangles[made, 2] = ring[0], ring[1], ring[2]
    return made + 1


@nb.njit(cache=True)
def skin(  # type: ignore[no-untyped-def]
    points, loop, start, role, size, own_size, surface, core, reveal, style, roughness, spacing,
    axes, planes, wall, openings,
):  # fmt: skip
    """The mesh of one cell: vertices (V, 3), faces (T, 3), surface (T,), broken (T,).

    points, loop, start  the cell;  role (F,) EXTERIOR, FRESH or JOINT
    size     (F,) edge length of the fragment across the face, which limits the relief's height
    surface  (F,) surface value of exterior faces, CORE where they only touch other elements
    core, reveal  surface values of broken faces and of openings' reveals
    spacing  (fine, coarse) metres between mesh points along exterior cracks and across broken faces
    the rest as for `relief`
    """
    faces = len(start) - 1
    area, centre, normal = face_measures(points, loop, start)
    edges = 0
    edge_low = np.empty(len(loop), np.int64)
    edge_high = np.empty(len(loop), np.int64)
    edge_faces = np.full((len(loop), 2), -1, np.int64)
    edge_of = np.empty(len(loop), np.int64)
    corner_size = np.full(len(points), own_size)
    corner_fresh = np.zeros(len(points), np.bool_)
    corner_joint = np.zeros(len(points), np.bool_)
    joint_height = min(roughness, JOINT_RELIEF)
    for f in range(faces):
        length = start[f + 1] - start[f]
        for k in range(length):
            a = loop[start[f] + k]
            b = loop[start[f] + (k + 1) % length]
            corner_size[a] = min(corner_size[a], size[f])
            if role[f] != EXTERIOR:
                corner_fresh[a] = True
            if role[f] == JOINT:
                corner_joint[a] = True
            low, high = min(a, b), max(a, b)
            found = -1
            for e in range(edges):
                if edge_low[e] == low and edge_high[e] == high:
                    found = e
                    break
            if found < 0:
                found = edges
                edge_low[found] = low
                edge_high[found] = high
                edges += 1
            edge_faces[found, 0 if edge_faces[found, 0] < 0 else 1] = f
            edge_of[start[f] + k] = found
    # points along edges
    parts = np.ones(edges, np.int64)
    first = np.zeros(edges + 1, np.int64)
    for e in range(edges):
        f, g = edge_faces[e]
        if style != PLAIN and not (role[f] == EXTERIOR and role[g] == EXTERIOR):
            rim = role[f] == EXTERIOR or role[g] == EXTERIOR
            length = np.sqrt(((points[edge_low[e]] - points[edge_high[e]]) ** 2).sum())
            parts[e] = max(1, min(64, int(np.ceil(length / (spacing[0] if rim else spacing[1]) - 1e-6))))
        first[e + 1] = first[e] + parts[e] - 1
    most = len(points) + first[edges]
    for f in range(faces):
        around = 0
        for k in range(start[f], start[f + 1]):
            around += parts[edge_of[k]]
        most += around + 1
    vertices = np.empty((most, 3))
    flat = np.empty((most, 3))  # before the relief
    count = len(points)
    for i in range(count):
        flat[i] = points[i]
        vertices[i] = points[i]
        if corner_joint[i]:
            vertices[i] += relief(points[i], BRICK, joint_height, axes, planes, wall, openings)
        elif corner_fresh[i]:
            height = min(roughness, 0.16 * corner_size[i])
            vertices[i] += relief(points[i], style, height, axes, planes, wall, openings)
    for e in range(edges):
        f, g = edge_faces[e]
        height = min(roughness, 0.16 * min(own_size, min(size[f], size[g])))
        manner = style
        if role[f] == JOINT or role[g] == JOINT:
            height, manner = joint_height, BRICK
        for k in range(1, parts[e]):
            point = points[edge_low[e]] + (points[edge_high[e]] - points[edge_low[e]]) * (k / parts[e])
            flat[count] = point
            vertices[count] = point + relief(point, manner, height, axes, planes, wall, openings)
            count += 1
    triangles = np.empty((6 * most, 3), np.int64)
    colour = np.empty(6 * most, np.int64)
    broken = np.empty(6 * most, np.float64)
    made = 0
    border = np.empty(most, np.int64)
    for f in range(faces):
        length = 0
        for k in range(start[f], start[f + 1]):
            a = loop[k]
            e = edge_of[k]
            border[length] = a
            length += 1
            base = len(points) + first[e]
            if a == edge_low[e]:
                for s in range(parts[e] - 1):
                    border[length] = base + s
                    length += 1
            else:
                for s in range(parts[e] - 2, -1, -1):
                    border[length] = base + s
                    length += 1
        begin = made
        if length == start[f + 1] - start[f] and (role[f] == EXTERIOR or style == PLAIN or length == 3):
            for k in range(1, length - 1):
                triangles[made, 0] = border[0]
                triangles[made, 1] = border[k]
                triangles[made, 2] = border[k + 1]
                made += 1
        elif role[f] == EXTERIOR:
            made = _ears(vertices, border, length, normal[f], triangles, made)
        else:
            girth = 0.0
            for k in range(length):
                girth += np.sqrt(((flat[border[k]] - flat[border[(k + 1) % length]]) ** 2).sum())
            height = min(roughness, 0.16 * min(own_size, size[f]))
            manner = style
            if role[f] == JOINT:
                height, manner = joint_height, BRICK
            ring = 2.0 * area[f] > 0.45 * spacing[1] * girth
            inner = count
            if ring:
                for k in range(length):
                    point = centre[f] + 0.5 * (flat[border[k]] - centre[f])
                    vertices[count] = point + relief(point, manner, height, axes, planes, wall, openings)
                    count += 1
                for k in range(length):
                    a, b = border[k], border[(k + 1) % length]
                    c, d = inner + (k + 1) % length, inner + k
                    triangles[made, 0], triangles[made, 1], triangles[made, 2] = a, b, c
                    made += 1
                    triangles[made, 0], triangles[made, 1], triangles[made, 2] = a, c, d
                    made += 1
            vertices[count] = centre[f] + relief(centre[f], manner, height, axes, planes, wall, openings)
            for k in range(length):
                triangles[made, 0] = inner + k if ring else border[k]
                triangles[made, 1] = inner + (k + 1) % length if ring else border[(k + 1) % length]
                triangles[made, 2] = count
                made += 1
            count += 1
        for t in range(begin, made):
            finished = role[f] == EXTERIOR and surface[f] >= 0
            colour[t] = surface[f] if finished else core
            broken[t] = 0.0 if finished else 1.0
            if role[f] == JOINT and len(openings):
                middle = (
                    vertices[triangles[t, 0]] + vertices[triangles[t, 1]] + vertices[triangles[t, 2]]
                ) / 3.0
                x = 0.0
                for axis in range(3):
                    x += (middle[axis] - wall[axis]) * wall[3 + axis]
                z = middle[2] - wall[2]
                for o in range(len(openings)):
                    if openings[o, 4] == 0.0:
                        continue
                    dx = max(openings[o, 0] - x, x - openings[o, 2], 0.0)
                    dz = max(openings[o, 1] - z, z - openings[o, 3], 0.0)
                    if dx * dx + dz * dz < REVEAL * REVEAL:
                        colour[t] = reveal
                        broken[t] = 0.0
                        break
    return vertices[:count].copy(), triangles[:made].copy(), colour[:made].copy(), broken[:made].copy()
