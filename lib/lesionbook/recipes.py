"""How a model is trained: the knobs, their ranges and what each means; light to import, for the check before a run."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1, strict=True)]  # strict: "epochs: true" is a mistake, not one epoch


class Settings(BaseModel):
    """Base of everything read from a study file: unknown keys are refused, values cannot be changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Augmentation(Settings):
    """How far a training image may be changed; amounts are drawn uniformly and symmetrically around "unchanged"."""

    rotation_degrees: Annotated[float, Field(ge=0, le=180, description="largest rotation either way")] = 0.0
    zoom: Annotated[Share, Field(description="largest change of scale; 0.2 means 0.8 to 1.2")] = 0.0
    shear: Annotated[Share, Field(description="largest tangent of the shear")] = 0.0
    shift: Annotated[Share, Field(description="largest shift as a share of the side")] = 0.0
    horizontal_flip: Annotated[bool, Field(description="mirror half of the images left to right")] = False
    vertical_flip: Annotated[bool, Field(description="mirror half of the images top to bottom")] = False
    brightness: Annotated[Share, Field(description="largest change of brightness as a share of 255")] = 0.0
    contrast: Annotated[Share, Field(description="largest change of contrast as a factor around 1")] = 0.0
    saturation: Annotated[Share, Field(description="largest change of saturation as a factor around 1")] = 0.0
    hue: Annotated[Share, Field(description="largest turn of the hue as a share of the full circle")] = 0.0


class Recipe(Settings):
    """How a network is trained."""

    epochs: Annotated[Count, Field(description="passes over the training images")] = 10
    warmup_epochs: Annotated[
        int, Field(ge=0, strict=True, description="epochs in which the learning rate rises to its peak")
    ] = 0
    batch_size: Annotated[Count, Field(description="images per step")] = 64
    learning_rate: Annotated[float, Field(gt=0, le=10, description="peak learning rate of AdamW")] = 0.001
    weight_decay: Annotated[float, Field(ge=0, le=1, description="decoupled weight decay of AdamW")] = 0.0
    label_smoothing: Annotated[Share, Field(description="share of each target spread over all classes")] = 0.0
    mixup: Annotated[float, Field(ge=0, le=10, description="blend pairs of training images; 0 blends none")] = 0.0
    class_weights: Annotated[
        Literal["none", "square_root", "balanced"],
        Field(
            description="weight of an image in the loss: 1, or N / (classes x count of its class), or the root of that"
        ),
    ] = "none"
    patience: Annotated[Count, Field(description="epochs without a better validation score before training stops")] = 10
    monitor: Annotated[
        Literal["val_auc", "val_balanced_accuracy", "val_accuracy", "val_loss"],
        Field(description="validation score that chooses the best epoch"),
    ] = "val_balanced_accuracy"
    augmentation: Annotated[Augmentation, Field(description="random changes of training images")] = Augmentation()


class ByImage(Settings):
    """Shares of a split that looks at images alone; zero leaves a side out."""

    train: Share
    validation: Share
    test: Share


class Knobs(Recipe):
    """Every parameter that an experiment may pass; each notebook takes the ones in its own first cell."""

    widths: Annotated[tuple[Count, ...], Field(min_length=1, description="channels of each stage")] = (32, 64, 128, 256)
    blocks: Annotated[tuple[Count, ...], Field(min_length=1, description="residual blocks of each stage")] = (
        1,
        1,
        2,
        2,
    )
    dropout: Annotated[Share, Field(description="share of features dropped while training")] = 0.3
    precision: Annotated[
        Literal["auto", "float32", "mixed_bfloat16"],
        Field(description="number format of the computation; auto takes bfloat16 where the processor has units for it"),
    ] = "float32"
    views: Annotated[Literal[1, 4, 8], Field(description="turned and mirrored views averaged per prediction")] = 1
    regularizations: Annotated[
        tuple[Annotated[float, Field(gt=0)], ...], Field(description="inverse penalties tried")
    ] = (1.0,)
    pie: Annotated[bool, Field(description="class shares drawn as a pie too")] = False
    centre: Annotated[
        int, Field(ge=0, strict=True, description="side in pixels of the central square that decides the label")
    ] = 0
    by_image: Annotated[ByImage | None, Field(description="shares of the split by image shown for comparison")] = None
    per_class: Annotated[Count, Field(description="images per class behind mean images and colours")] = 300
    examples: Annotated[Count, Field(description="example images shown per class")] = 6
    mistakes: Annotated[Count, Field(description="most confident mistakes shown")] = 12
    repeats: Annotated[int, Field(ge=100, strict=True, description="bootstrap resamples behind each interval")] = 1000
