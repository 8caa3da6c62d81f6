"""Layers shared by the architectures."""

import keras


@keras.saving.register_keras_serializable(package="lesionbook")
class BatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization (Ioffe and Szegedy, 2015) that uses TensorFlow's fused kernel while training.

    Keras 3 computes it from elementary operations, each a pass over memory; on a CPU a small residual network spends
    about a third of its training step there. The numbers are the same up to rounding, except that the fused kernel
    keeps the unbiased variance as the moving one. On other backends this is Keras's own layer.
    """

    def call(self, inputs, training=None, mask=None):  # noqa: ANN001, ANN201, D102 - Keras's own signature
        fused = keras.backend.backend() == "tensorflow" and training and self.trainable and mask is None
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
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1.0 - self.momentum))
        self.moving_variance.assign(self.moving_variance * self.momentum + variance * (1.0 - self.momentum))
        return outputs
