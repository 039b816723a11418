"""Checks for the topic Reset placement: whether the reset gate acts before or after the matrix product."""

from typing import Any

import torch
from torch import Tensor

from . import Measurement
from .cells import ChoGRU, ChungSignGRU, Layer, run_onnx


def product_order(cell: Any) -> Measurement:
    """Measure the candidate and the terms of its formulas."""
    layer = Layer(cell)
    w, u, b, c = layer.weights("n")
    quantities = {
        "r": layer.gate("r"),
        "h": layer.h,
        "from_input": w @ layer.x + b,
        "U": u,
        "c": c,
        "answer": layer.candidate(),
    }
    return Measurement("one step with the update gate writing", quantities)


def one_product(cell: Any) -> Measurement:
    """Multiply the state by all recurrent weights before any gate is known, and finish the candidate from that."""
    layer, module = Layer(cell), Layer(cell).module
    product = module.weight_hh_l0 @ layer.h + module.bias_hh_l0  # (3 * H,)
    sums = product + module.weight_ih_l0 @ layer.x + module.bias_ih_l0
    rows = layer.rows("n")
    candidate = torch.tanh(sums[rows] + (layer.gate("r") - 1) * product[rows])
    without = layer.gated()
    for gate in "rz":
        without.weights(gate)[1].zero_()
    gate_sums = torch.cat([sums[layer.rows("r")], sums[layer.rows("z")]])
    quantities = {
        "gap_one_product": (candidate - layer.candidate()).abs().max(),
        "lowest_candidate": layer.candidate().min(),
        "lowest_sum": gate_sums.min(),
        "highest_sum": gate_sums.max(),
        "effect_of_gate_matrices": (without.step() - layer.step()).abs().max(),
    }
    return Measurement("one step, its recurrent products computed at once beforehand", quantities)


def onnx_attributes(cell: Any) -> Measurement:
    """Run ONNX's own GRU operator on the cell's weights under several attributes, over four steps."""
    layer = Layer(cell)
    inputs = torch.randn(4, 1, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    expected = layer.module(inputs)[0][:, 0]  # (4, H)
    blocks = [layer.weights(block) for block in "zrn"]

    def error(**attributes: Any) -> Tensor:
        return (run_onnx(blocks, inputs, **attributes) - expected).abs().max()

    quantities = {
        "error_default": error(),
        "error_linear_before_reset": error(linear_before_reset=1),
        "error_reverse": error(direction="reverse"),
    }
    return Measurement("four steps of ONNX's GRU with the same weights; largest differences", quantities)


def suspects(cell: Any) -> Measurement:
    """Make each suspected mistake with the cell's weights, with the reset gate free and held open."""
    layer = Layer(cell)

    def difference(kind: Any, **gates: float) -> Tensor:
        other = Layer(kind)
        return (other.gated(**gates).step() - layer.gated(**gates).step()).abs().max()

    def swapped(**gates: float) -> Tensor:
        other = Layer(cell)
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            weights = getattr(other.module, name)
            weights[other.rows("r")], weights[other.rows("z")] = (
                weights[other.rows("z")].clone(),
                weights[other.rows("r")].clone(),
            )
        return (other.gated(**gates).step() - layer.gated(**gates).step()).abs().max()

    def rounded(**gates: float) -> Tensor:
        held = layer.gated(**gates)
        single = held.module.float()(layer.x[None, None].float(), layer.h[None, None].float())[0][0, 0]
        return (single.double() - layer.gated(**gates).step()).abs().max()

    quantities: dict[str, Any] = {}
    for suffix, gates in (("", {}), ("_r_open", {"r": 1.0})):
        quantities[f"placement{suffix}"] = difference(ChoGRU, **gates)
        quantities[f"sign{suffix}"] = difference(ChungSignGRU, **gates)
        quantities[f"order{suffix}"] = swapped(**gates)
        quantities[f"rounding{suffix}"] = rounded(**gates)
    return Measurement("one step with each mistake; largest differences", quantities)


def agreement(cell: Any) -> Measurement:
    """Compare the cell with one that resets before the product, without recurrent bias, in several situations."""
    after, before = Layer(cell), Layer(ChoGRU)
    for layer in (after, before):
        layer.weights("n")[3].zero_()

    def gap(one: Layer, other: Layer) -> Tensor:
        return (one.step() - other.step()).abs().max()

    def symmetric(layer: Layer) -> Layer:
        other = layer.gated()
        u = other.weights("n")[1]
        u.copy_((u + u.T) / 2)
        return other

    def no_input(layer: Layer) -> Layer:
        other = layer.gated()
        other.x.zero_()
        return other

    quantities = {
        "gap": gap(after, before),
        "gap_r_open": gap(after.gated(r=1), before.gated(r=1)),
        "gap_r_alike": gap(after.gated(r=0.5), before.gated(r=0.5)),
        "gap_symmetric": gap(symmetric(after), symmetric(before)),
        "gap_no_input": gap(no_input(after), no_input(before)),
    }
    return Measurement("one step of both variants with the same weights; largest differences", quantities)
