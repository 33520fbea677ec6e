"""Floating-point operations of a network, counted from the shapes in its program.

Of matrix products and convolutions alone, a multiplication and an addition as two, as
is usual; a zero of the padding counts like any number. Nothing is compiled or run, and
the count is the same whichever way a convolution is lowered.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn

_CONTROL_FLOW = ("scan", "while", "cond")


def products(function: Callable[..., Any], *arguments: Any) -> list[int]:
    """Operations of each product that a function does, in its order.

    Args:
      function: traceable, without loops.
      *arguments: arrays or `jax.ShapeDtypeStruct`.

    Returns:
      One number a matrix product or convolution.

    Raises:
      ValueError: a loop, or a convolution with holes: their shapes do not tell.

    Example:
      >>> import jax.numpy as jnp
      >>> products(lambda a, b: a @ b, jnp.ones((2, 3)), jnp.ones((3, 5)))
      [60]
    """
    return list(_walk(jax.make_jaxpr(function)(*arguments).jaxpr))


def of_training(forward: list[int]) -> int:
    """Operations of a forward and a backward pass, from those of the forward pass.

    Every product has two gradients of its own cost, towards its weights and towards
    its input; towards the examples, the input of the first, there is none.

    Example:
      >>> of_training([10, 100])
      320
    """
    return 3 * sum(forward) - forward[0]


def _walk(jaxpr: Jaxpr) -> Iterator[int]:
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name in _CONTROL_FLOW:
            raise ValueError(f"expected a program without loops, found {name}")
        if name == "dot_general":
            yield _of_product(equation)
        elif name == "conv_general_dilated":
            yield _of_convolution(equation)
        for value in equation.params.values():
            if isinstance(value, ClosedJaxpr):
                yield from _walk(value.jaxpr)
            elif isinstance(value, Jaxpr):
                yield from _walk(value)


def _shape(variable: Any) -> tuple[int, ...]:
    return variable.aval.shape


def _of_product(equation: JaxprEqn) -> int:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = _shape(equation.invars[0])
    terms = math.prod(left[axis] for axis in contracted)
    return 2 * math.prod(_shape(equation.outvars[0])) * terms


def _of_convolution(equation: JaxprEqn) -> int:
    holes = (*equation.params["lhs_dilation"], *equation.params["rhs_dilation"])
    if any(hole != 1 for hole in holes):
        raise ValueError(f"expected a convolution without holes, found {holes}")
    kernel = _shape(equation.invars[1])
    outputs = kernel[equation.params["dimension_numbers"].rhs_spec[0]]
    terms = math.prod(kernel) // outputs
    return 2 * math.prod(_shape(equation.outvars[0])) * terms
