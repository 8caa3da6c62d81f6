"""How a model is trained: the knobs, their ranges and what each means; light to import, for the check before a run."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

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


ClassWeights = Literal["none", "square_root", "balanced"]
Score = Literal["val_auc", "val_balanced_accuracy", "val_macro_f1", "val_accuracy", "val_loss"]


class Plateau(Settings):
    """A learning rate that falls when a validation score gets no better."""

    monitor: Annotated[Score, Field(description="score that is watched")] = "val_loss"
    factor: Annotated[float, Field(gt=0, lt=1, description="what the rate is multiplied by")] = 0.1
    patience: Annotated[Count, Field(description="epochs without a better score before it falls")] = 10
    min_delta: Annotated[float, Field(ge=0, description="by how much a score must be better to count")] = 0.0001
    min_learning_rate: Annotated[float, Field(ge=0, description="rate below which it does not fall")] = 0.0


class Decay(Settings):
    """A learning rate that falls by a factor at fixed steps."""

    rate: Annotated[float, Field(gt=0, le=1, description="what the rate is multiplied by")] = 0.96
    steps: Annotated[Count, Field(description="steps between two falls")] = 100_000


class Recipe(Settings):
    """How a network is trained."""

    epochs: Annotated[Count, Field(description="passes over the training images")] = 10
    warmup_epochs: Annotated[
        int, Field(ge=0, strict=True, description="epochs in which the learning rate rises to its peak")
    ] = 0
    batch_size: Annotated[Count, Field(description="images per step")] = 64
    optimizer: Annotated[Literal["adamw", "adam"], Field(description="AdamW with weight decay, or plain Adam")] = (
        "adamw"
    )
    learning_rate: Annotated[float, Field(gt=0, le=10, description="peak learning rate")] = 0.001
    schedule: Annotated[
        Literal["cosine", "constant", "plateau", "exponential"], Field(description="how the learning rate changes")
    ] = "cosine"
    plateau: Annotated[Plateau, Field(description="when a learning rate of this schedule falls")] = Plateau()
    decay: Annotated[Decay, Field(description="how an exponential schedule falls")] = Decay()
    loss: Annotated[
        Literal["categorical_crossentropy", "binary_crossentropy"],
        Field(description="of one distribution over the classes, or of each class by itself"),
    ] = "categorical_crossentropy"
    weight_decay: Annotated[float, Field(ge=0, le=1, description="decoupled weight decay of AdamW")] = 0.0
    label_smoothing: Annotated[Share, Field(description="share of each target spread over all classes")] = 0.0
    mixup: Annotated[float, Field(ge=0, le=10, description="blend pairs of training images; 0 blends none")] = 0.0
    class_weights: Annotated[
        ClassWeights,
        Field(
            description="weight of an image in the loss: 1, or N / (classes x count of its class), or the root of that"
        ),
    ] = "none"
    patience: Annotated[Count, Field(description="epochs without a better validation score before training stops")] = 10
    min_delta: Annotated[float, Field(ge=0, description="by how much a score must be better to count")] = 0.0
    monitor: Annotated[Score, Field(description="validation score that chooses the best epoch")] = (
        "val_balanced_accuracy"
    )
    feature_variants: Annotated[
        int,
        Field(
            ge=0, strict=True, description="variants whose features a frozen base computes once; 0: every epoch anew"
        ),
    ] = 0
    augmentation: Annotated[Augmentation, Field(description="random changes of training images")] = Augmentation()


class FineTuning(Recipe):
    """A second phase of training, in which the last layers of a frozen base learn as well."""

    last: Annotated[Count | None, Field(description="so many layers from the end of the model")] = None
    from_layer: Annotated[str | None, Field(description="this layer and all behind it")] = None


class ByImage(Settings):
    """Shares of a split that looks at images alone; zero leaves a side out."""

    train: Share
    validation: Share
    test: Share


class Range(Settings):
    """What a search may try for one knob: numbers from low to high, or one of several values."""

    low: Annotated[float | None, Field(description="smallest value")] = None
    high: Annotated[float | None, Field(description="largest value")] = None
    step: Annotated[float | None, Field(gt=0, description="distance of values; whole numbers make whole values")] = None
    log: Annotated[bool, Field(description="spread evenly over the powers of ten")] = False
    choices: Annotated[tuple[bool | int | float | str, ...], Field(description="instead of numbers: one of these")] = ()
    places: Annotated[
        int, Field(ge=0, le=20, strict=True, description="the knob is a list of so many values, each tried by itself")
    ] = 0

    @model_validator(mode="after")
    def _one_way(self) -> "Range":
        if bool(self.choices) == (self.low is not None and self.high is not None):
            raise ValueError("give low and high, or choices")
        if self.choices and (self.low, self.high, self.step, self.log) != (None, None, None, False):
            raise ValueError("choices need no low, high, step or log")
        if not self.choices and not self.low < self.high:
            raise ValueError("low must be smaller than high")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs a low above zero and no step")
        return self


class Search(Settings):
    """One way to search."""

    title: Annotated[str, Field(min_length=1, description="in tables and figures")]
    sampler: Annotated[Literal["random", "tpe"], Field(description="how the next setting is chosen")]
    only: Annotated[tuple[str, ...], Field(description="knobs of the space that are searched; empty for all")] = ()
    pruned: Annotated[bool, Field(description="stop trainings that lag behind")] = False


class Knobs(Settings):
    """Every parameter that an experiment may pass; each notebook takes the ones in its own first cell."""

    recipe: Annotated[Recipe, Field(description="how a network is trained")] = Recipe()
    class_weights: Annotated[ClassWeights, Field(description="weight of an image in the loss of a regression")] = "none"
    augmentation: Annotated[Augmentation, Field(description="changes shown as examples")] = Augmentation()

    widths: Annotated[tuple[Count, ...], Field(min_length=1, description="channels of each stage")] = (32, 64, 128, 256)
    filters: Annotated[tuple[Count, ...], Field(min_length=1, description="channels of the convolutions or blocks")] = (
        32,
    )
    plan: Annotated[
        tuple[tuple[Count, Count, Count], ...], Field(description="of each stage: channels, first stride, blocks")
    ] = ((64, 1, 3),)
    activation: Annotated[
        Literal["leaky_relu", "relu", "sigmoid", "tanh", "softmax"], Field(description="inside the network")
    ] = "relu"
    alpha: Annotated[float, Field(ge=0, le=1, description="slope of the leaky ReLU below zero")] = 0.3
    bias: Annotated[Literal["first", "all"] | bool, Field(description="which convolutions have a bias")] = "first"
    initializer: Annotated[Literal["glorot_uniform", "he_normal"], Field(description="how kernels begin")] = (
        "glorot_uniform"
    )
    dense: Annotated[tuple[Count, ...], Field(description="units of the dense layers")] = ()
    dense_dropout: Annotated[Share, Field(description="share of features dropped after dense layers")] = 0.5
    normalized: Annotated[bool, Field(description="batch normalization behind dense layers")] = False
    pooling: Annotated[Literal["average", "flatten"], Field(description="how feature maps become a vector")] = "average"
    outputs: Annotated[
        Literal["softmax", "single_sigmoid", "sigmoids"], Field(description="how the network answers")
    ] = "softmax"
    trainable_from: Annotated[str, Field(description="first layer of a base that learns; empty for none")] = ""
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
    weights: Annotated[
        str, Field(description="initial weights: none, imagenet, a file, or an experiment (study/experiment)")
    ] = "none"
    trunk: Annotated[str, Field(description="builder of the network whose features of an image are joined")] = (
        "residual_cnn"
    )
    trunk_options: Annotated[dict[str, Any], Field(description="its keyword arguments")] = {}
    columns: Annotated[tuple[str, ...], Field(description="metadata that a model is told")] = ()
    models: Annotated[tuple[str, ...], Field(description="experiments that are combined or used; empty for all")] = ()
    folder: Annotated[str, Field(description="folder of images to answer; empty for the files of the test images")] = ""
    devices: Annotated[Count, Field(description="GPUs that share each batch")] = 1
    base: Annotated[str, Field(description="experiment whose settings are varied")] = ""
    fixed: Annotated[dict[str, Any], Field(description="changes to the base that all its variants share")] = {}
    settings: Annotated[tuple[dict[str, Any], ...], Field(description="changes to the base, a training each")] = ({},)
    axis: Annotated[str, Field(description="the changed knob that a figure has on its axis")] = ""
    scale: Annotated[Literal["linear", "log"], Field(description="scale of that axis")] = "linear"
    seeds: Annotated[Count, Field(description="trainings of each setting, with a seed each")] = 3
    workers: Annotated[Count, Field(description="trainings side by side, each with the threads of the experiment")] = 1
    published: Annotated[str, Field(description="sweep of the published study that is shown beside; empty: none")] = ""
    sweeps: Annotated[tuple[str, ...], Field(description="sweeps whose cost or whose choices are taken")] = ()
    against: Annotated[tuple[str, ...], Field(description="experiments that the result is held against")] = ()
    space: Annotated[dict[str, Range], Field(description="what a search may try, by knob")] = {}
    searches: Annotated[tuple[Search, ...], Field(description="ways to search that are compared")] = ()
    budget: Annotated[Count, Field(description="epochs that a search may train in all, without sweeps to go by")] = 100
    finalists: Annotated[
        Count, Field(description="best settings of each search that are trained with several seeds")
    ] = 1
    storage: Annotated[
        str, Field(description="database that workers share, as a URL; empty: a file in the folder of the experiment")
    ] = ""
    fine_tuning: Annotated[FineTuning | None, Field(description="the second phase of training")] = None
    pie: Annotated[bool, Field(description="class shares drawn as a pie too")] = False
    centre: Annotated[
        int, Field(ge=0, strict=True, description="side in pixels of the central square that decides the label")
    ] = 0
    by_image: Annotated[ByImage | None, Field(description="shares of the split by image shown for comparison")] = None
    per_class: Annotated[Count, Field(description="images per class behind mean images and colours")] = 300
    positive: Annotated[
        str, Field(description="class that should not be missed; empty: melanoma, or else the last class")
    ] = ""
    cost_of_miss: Annotated[
        float, Field(gt=0, le=1000, description="false alarms that one missed image of that class is worth")
    ] = 10.0
    examples: Annotated[Count, Field(description="example images shown per class")] = 6
    mistakes: Annotated[Count, Field(description="most confident mistakes shown")] = 12
    repeats: Annotated[int, Field(ge=100, strict=True, description="bootstrap resamples behind each interval")] = 1000
