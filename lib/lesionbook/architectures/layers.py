"""Layers shared by the architectures."""

import keras


@keras.saving.register_keras_serializable(package="lesionbook")
class BatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization (Ioffe and Szegedy, 2015) in one kernel on TensorFlow.

    Keras 3 computes it from elementary operations, each a pass over memory; on a CPU a
    small residual network spends about a third of its training step there. The numbers
    are the same up to rounding, except that TensorFlow's fused kernel, used while
    training, keeps the unbiased variance as the moving one. On other backends this is
    Keras's own layer.
    """

    def call(self, inputs, training=None, mask=None):  # noqa: ANN001, ANN201, D102 - Keras's own signature
        fused = (
            keras.backend.backend() == "tensorflow"
            and training
            and self.trainable
            and mask is None
        )
        if not fused or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=self.moving_mean,
            variance=self.moving_variance,
            epsilon=self.epsilon,
            is_training=True,
        )
        self.moving_mean.assign(
            self.moving_mean * self.momentum + mean * (1.0 - self.momentum)
        )
        self.moving_variance.assign(
            self.moving_variance * self.momentum + variance * (1.0 - self.momentum)
        )
        return outputs


@keras.saving.register_keras_serializable(package="lesionbook")
class AgainstZero(keras.layers.Layer):
    """Put a score of zero before the only score z.

    The softmax of (0, z) is (1 - p, p) with p the sigmoid of z, so that the model has a
    column per class like any other; and a loss that looks at the scores before the
    softmax has the gradient p - y of the sigmoid's cross-entropy, however sure the
    network is.
    """

    def call(self, inputs):  # noqa: ANN001, ANN201, D102 - Keras's own signature
        return keras.ops.pad(inputs, [[0, 0], [1, 0]])


@keras.saving.register_keras_serializable(package="lesionbook")
class ImageNetMeanInBGR(keras.layers.Layer):
    """Reverse the colour channels and subtract the mean colour of ImageNet.

    This is what VGG16's weights were trained on.
    """

    MEAN = (103.939, 116.779, 123.68)  # blue, green, red on the 0-255 scale

    def call(self, inputs):  # noqa: ANN001, ANN201, D102 - Keras's own signature
        return keras.ops.flip(inputs, axis=-1) - keras.ops.convert_to_tensor(
            self.MEAN, dtype=inputs.dtype
        )
