"""MiniLM as an OpenVINO graph, built by hand from its weights: no PyTorch, no ONNX, no download.

The network: Wang et al., "MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression of
Pre-Trained Transformers", 2020, in BERT's form (Devlin et al. 2018); the pooling: Reimers and Gurevych,
"Sentence-BERT", 2019.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops

from falsework import inference
from falsework.search.encoder.weights import ShippedWeights

__all__ = ["DIMENSIONS", "compiled"]

DIMENSIONS, HEADS, LAYERS = 384, 12, 6
EPSILON = 1e-12  # of the norms, as published

Node = Any  # OpenVINO's stubs know no common type of what its operations return


def compiled(weights: ShippedWeights, *, threads: int, exact: bool) -> Any:
    """The network for this machine's processor: what OpenVINO's `compile_model` returns.

    Inputs: the tokens' embeddings with their positions', (n, tokens, 384) float32, and which tokens are
    there, (n, tokens) float32 of ones and zeros (padding). Output: (n, 384) float32, the mean over the tokens
    that are there, of length 1. `exact`: in float32 even where the processor computes in bfloat16.
    """
    embedded = ops.parameter(openvino.PartialShape([-1, -1, DIMENSIONS]), np.float32, name="embedded")
    present = ops.parameter(openvino.PartialShape([-1, -1]), np.float32, name="present")
    # 0 where a token is, so far below everything where it is padding that its share is exactly nothing.
    closed = ops.multiply(ops.subtract(present, _constant(1.0)), _constant(1e9))
    mask = ops.unsqueeze(closed, ops.constant(np.array([1, 2])))
    x = _normed(embedded, weights, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        attended = _attention(x, mask, weights, f"{name}.attention")
        x = _normed(ops.add(x, attended), weights, f"{name}.attention.output.LayerNorm")
        wide = ops.gelu(_dense(x, weights, f"{name}.intermediate.dense"), "erf")
        x = _normed(
            ops.add(x, _dense(wide, weights, f"{name}.output.dense")), weights, f"{name}.output.LayerNorm"
        )
    there = ops.unsqueeze(present, ops.constant(2))
    # The mean's divisor goes with the length: only the direction is kept.
    total = ops.reduce_sum(ops.multiply(x, there), ops.constant(1))
    pooled = ops.normalize_l2(total, ops.constant(1), EPSILON, "max")
    return inference.compiled(pooled, [embedded, present], "MiniLM", threads=threads, exact=exact)


def _attention(x: Node, mask: Node, weights: ShippedWeights, name: str) -> Node:
    """Every token looks at every token that is there, through HEADS pairs of eyes."""
    query, key, value = (
        _heads(_dense(x, weights, f"{name}.self.{part}")) for part in ("query", "key", "value")
    )
    seen = ops.scaled_dot_product_attention(query, key, value, mask)
    together = ops.reshape(
        ops.transpose(seen, ops.constant(np.array([0, 2, 1, 3]))),
        ops.constant(np.array([0, 0, DIMENSIONS])),
        special_zero=True,
    )
    return _dense(together, weights, f"{name}.output.dense")


def _heads(x: Node) -> Node:
    """(n, tokens, 384) as (n, heads, tokens, 32)."""
    parts = ops.reshape(x, ops.constant(np.array([0, 0, HEADS, DIMENSIONS // HEADS])), special_zero=True)
    return ops.transpose(parts, ops.constant(np.array([0, 2, 1, 3])))


def _dense(x: Node, weights: ShippedWeights, name: str) -> Node:
    matrix = ops.constant(weights[f"{name}.weight"])
    return ops.add(ops.matmul(x, matrix, False, True), _constant(weights[f"{name}.bias"]))


def _normed(x: Node, weights: ShippedWeights, name: str) -> Node:
    even = ops.mvn(x, ops.constant(np.array([-1])), True, EPSILON, "inside_sqrt")
    return ops.add(
        ops.multiply(even, _constant(weights[f"{name}.weight"])), _constant(weights[f"{name}.bias"])
    )


def _constant(value: Any) -> Node:
    return ops.constant(np.asarray(value, np.float32))
