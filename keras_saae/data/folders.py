"""Images in folders, one folder a class, read when they are needed."""

import functools
import itertools
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_saae.checks import check_choice, check_count
from keras_saae.data.lazy import LazyImages

UNLABELLED = ("unlabelled", "unlabeled")
LARGEST_UNREADABLE_SHARE = 0.01
MOST_NAMED = 10


class ImageFolder(NamedTuple):
    """What `image_folder` found, in this order.

    Attributes:
        images: `LazyImages`, uint8 `(n, height, width[, 3])`.
        labels: int64 `(n,)`, index into `class_names`, -1 for unlabelled images.
        class_names: tuple of the class folders' names.
    """

    images: LazyImages
    labels: np.ndarray
    class_names: tuple


def image_folder(path, image_size=None, color_mode="rgb", check=True):
    """Read images from a folder that holds one folder for each class.

        pets/cat/*.jpg   pets/dog/*.png   pets/unlabelled/*

    Images are decoded when they are indexed, by several threads, and stay files until
    then; `images[:]` decodes all, which is faster where they fit into memory. Each is

    - turned upright, as its EXIF data say;
    - converted to one mode: grey becomes RGB (or RGB grey), transparent pixels become
      white, 16 bits become 8, of an animation the first picture is taken;
    - resized to `image_size`. Nothing is cut off: height and width change apart, as in
      `keras.utils.image_dataset_from_directory`. Large JPEG files are decoded at a
      fraction of their size, not below twice `image_size`.

    Args:
        path: the folder. Folders in it are classes, in the order of their names (of
            their values, if all are numbers); "unlabelled" holds images without a
            label. Folders inside a class belong to it. Files beside the class folders,
            and names that start with a dot, are passed over.
        image_size: height and width of the images, or one number for both. If not
            given, that which all files have.
        color_mode: "rgb", or "grayscale" for images `(n, height, width)`.
        check: whether to decode every file once, here, so that unreadable ones are
            found before training. `False` trusts them: a bad one ends the run.

    Returns:
        An `ImageFolder`: images, labels, class names.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if there is no class folder, if one holds no readable image, if more
            than 1 % of the files cannot be read, or if they have different sizes and no
            `image_size` is given.

    Warns:
        UserWarning: naming the files that cannot be read, which are left out.

    Example:
        >>> x, y, class_names = image_folder("pets", image_size=(64, 64))
        >>> dataset = SemiSupervisedDataset(x, y, num_classes=len(class_names))
    """
    path = Path(path).expanduser()
    check_choice("color_mode", color_mode, ("rgb", "grayscale"))
    size = None if image_size is None else _check_size(image_size)
    if not path.is_dir():
        raise FileNotFoundError(f"There is no folder {path}.")
    folders = sorted(filter(_is_class, path.iterdir()), key=lambda f: f.name)
    classes = [f.name for f in folders if f.name.lower() not in UNLABELLED]
    if all(name.isdecimal() for name in classes):
        classes.sort(key=int)
    if not classes:
        raise ValueError(
            f"{path} holds no folder of a class. Give each class a folder of its own "
            "in it, and put images without a label into one named 'unlabelled'."
        )
    files = [sorted(_files(folder)) for folder in folders]
    size = size or _common_size(files, path)
    read = functools.partial(_decode, size=size, color_mode=color_mode)
    if check:
        files = _readable(files, read)
    for folder, found in zip(folders, files):
        if not found:
            raise ValueError(
                f"The folder {folder} holds no images. Put some into it, or remove it."
            )
    number = {name: k for k, name in enumerate(classes)}
    labels = [number.get(folder.name, -1) for folder in folders]
    return ImageFolder(
        LazyImages(
            itertools.chain.from_iterable(files),
            read,
            size if color_mode == "grayscale" else (*size, 3),
        ),
        np.repeat(np.array(labels, "int64"), [len(found) for found in files]),
        tuple(classes),
    )


def _check_size(image_size):
    size = (image_size,) * 2 if np.ndim(image_size) == 0 else tuple(image_size)
    if len(size) != 2:
        raise ValueError(
            "`image_size` is the height and width of the images, or one number for "
            f"both. Received {image_size!r}."
        )
    return tuple(check_count(length, "image_size") for length in size)


def _common_size(files, path):
    """Height and width of all images, upright; their headers tell."""
    from PIL import ExifTags, Image

    sizes = {}  # and a file of each
    for file in itertools.chain.from_iterable(files):
        try:
            with Image.open(file) as image:
                lies = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
                sizes.setdefault(image.size if lies else image.size[::-1], file)
        except OSError:
            pass  # found and named when all are decoded
    if not sizes:
        raise ValueError(f"No file in the folders of {path} can be read as an image.")
    if len(sizes) > 1:
        (height, width), other = list(sizes)[:2]
        raise ValueError(
            f"The images have {len(sizes)} sizes: {sizes[height, width]} is {height} "
            f"high and {width} wide, {sizes[other]} {other[0]} and {other[1]}. Give "
            "`image_size=(height, width)`, and all are resized to that."
        )
    return next(iter(sizes))


def _is_class(path):
    return path.is_dir() and not path.name.startswith(".")


def _files(folder):
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path


def _readable(files, read):
    """The files of each folder that can be read; says which cannot."""

    def reason(file):
        try:
            read(file)
        except OSError as error:
            return str(error)

    with ThreadPoolExecutor() as pool:
        reasons = [list(pool.map(reason, found)) for found in files]
    bad = [why for of_folder in reasons for why in of_folder if why]
    total = sum(map(len, files))
    if bad:
        shown = "; ".join(bad[:MOST_NAMED]) + ("; ..." if bad[MOST_NAMED:] else "")
        message = f"{len(bad)} of {total} files cannot be read as images: {shown}."
        if len(bad) > LARGEST_UNREADABLE_SHARE * total:
            raise ValueError(
                f"{message} That is more than {LARGEST_UNREADABLE_SHARE:.0%}: repair "
                "or remove them."
            )
        warnings.warn(f"{message} They are left out.", stacklevel=3)
    return [
        [file for file, why in zip(found, of_folder) if not why]
        for found, of_folder in zip(files, reasons)
    ]


def _decode(path, size, color_mode):
    """One image, uint8 of shape `size`, or `(*size, 3)`.

    Raises:
        OSError: naming the file, if it cannot be read, whatever is wrong with it.
    """
    from PIL import Image, ImageOps

    height, width = size
    try:
        with Image.open(path) as image:
            image.draft(None, (2 * max(size), 2 * max(size)))  # JPEG: decode a fraction
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I"):  # Pillow would clip 16 bits to 8
                levels = np.clip(np.asarray(image), 0, 65_535) // 257
                image = Image.fromarray(levels.astype("uint8"))
            elif image.mode == "F":
                raise ValueError("floats, of a range that it does not say")
            if image.has_transparency_data:
                white = Image.new("RGBA", image.size, "white")
                image = Image.alpha_composite(white, image.convert("RGBA"))
            image = image.convert("L" if color_mode == "grayscale" else "RGB")
            return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    except Exception as error:  # Pillow's readers raise all kinds
        raise OSError(f"{path} ({error})") from error
