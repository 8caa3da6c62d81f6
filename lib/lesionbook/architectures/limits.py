"""What a network asks of its images."""

from lesionbook.errors import LesionbookError


def at_least(image_size: int, least: int, *, builder: str, cure: str = "") -> None:
    """Refuse images of which the network's own halvings would leave nothing.

    Parameters
    ----------
    image_size, least : int
        Side in pixels that is given, and the smallest that works.
    builder : str
        Name of the network for the message.
    cure : str
        What may be done apart from larger images.

    Raises
    ------
    LesionbookError
        If `image_size` is smaller than `least`.
    """
    if image_size < least:
        raise LesionbookError(
            f"{builder}: images of {image_size} pixels are too small, it takes at "
            f"least {least}; raise the size under images in the study file{cure}."
        )
