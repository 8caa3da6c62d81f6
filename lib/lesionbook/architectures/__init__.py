"""One file per family of network; each builder returns a Keras model.

Every model takes RGB images on the 0-255 scale and scales them itself, and is built
flat (no model inside a model), so that Grad-CAM can reach its last feature maps. Four
layers have the same name everywhere: ``last_convolution`` (the last feature maps),
``features`` (the vector that enters the head), ``logits`` (the scores before the
answer) and ``probabilities`` (one column per class).
"""
