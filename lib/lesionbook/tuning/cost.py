"""What a network costs, counted rather than measured, so that every machine and every run says the same."""

import math

import keras


def multiply_adds(model: keras.Model) -> int:
    """Multiply-adds of one image on its way forward through the convolutions and dense layers of a flat model.

    Each weight of a kernel is used once per place of the layer's output. Normalization, activation and pooling are left
    out, as usual: they cost little. Going backward costs about twice as much again.
    """
    total = 0
    for layer in model.layers:
        kernels = [weight for weight in layer.weights if weight.path.rpartition("/")[2].endswith("kernel")]
        if kernels:
            places = math.prod(layer.output.shape[1:-1])
            total += places * sum(math.prod(kernel.shape) for kernel in kernels)
    return total
