"""One file per family of network; each builder takes image size and class count and returns a Keras model.

Every model takes RGB images on the 0-255 scale and scales them itself, and is built flat (no model inside a model), so
that Grad-CAM can reach its last feature maps, the output of the layer ``last_convolution``, and the scores before the
softmax, the output of the layer ``logits``.
"""
