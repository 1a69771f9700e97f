"""Images that stay where they are until they are indexed."""

import mmap
from concurrent.futures import ThreadPoolExecutor

import numpy as np


class LazyImages:
    """Images that are read, by several threads, when they are indexed.

    Along its first axis it is indexed like an array: by an integer, a slice, integers
    or booleans, and gives NumPy arrays; `images[:]` reads all.

    Args:
        items: what there is to read, one for each image, such as file names.
        read: function from an item to a uint8 image of `image_shape`.
        image_shape: shape of one image.

    Attributes:
        shape: `(n, *image_shape)`.
        dtype: uint8.
    """

    dtype = np.dtype("uint8")

    def __init__(self, items, read, image_shape):
        self.items, self.read = list(items), read
        self.shape = (len(self.items), *image_shape)
        self._numbers = np.arange(len(self.items))

    def __len__(self):
        """Return the number of images."""
        return len(self.items)

    def __getitem__(self, index):
        """Return the image, or the images, that `index` names."""
        numbers = self._numbers[index]
        if numbers.ndim == 0:
            return self.read(self.items[numbers])
        images = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        with ThreadPoolExecutor() as pool:
            items = (self.items[number] for number in numbers)
            for image, read in zip(images, pool.map(self.read, items)):
                image[...] = read
        return images


class Subset:
    """Some of the images, for which no memory is copied.

    `x[indices]` of images on disk reads them all; this reads those that are asked for.

    Args:
        x: images: an array, a `np.memmap` or `LazyImages`.
        indices: integers, booleans or a slice, such as `split.train`.

    Attributes:
        shape: `(n, *image_shape)`.
        dtype: as of `x`.

    Example:
        >>> x = np.load("images.npy", mmap_mode="r")  # more than fits into memory
        >>> dataset = SemiSupervisedDataset(Subset(x, split.train), y)
    """

    def __init__(self, x, indices):
        self.x = from_disk(x)
        self.indices = np.arange(len(x))[indices]
        self.shape, self.dtype = (len(self.indices), *x.shape[1:]), x.dtype

    def __len__(self):
        """Return the number of images."""
        return len(self.indices)

    def __getitem__(self, index):
        """Return the image, or the images, that `index` names."""
        return np.asarray(self.x[self.indices[index]])


class _FromDisk:
    """A memory-mapped array that gives memory back after each read.

    A page that was read counts as memory of the process until the system is short of
    it: in an epoch the whole file. And beside each image the system reads its
    neighbours on disk, which shuffled batches have no use for.
    """

    def __init__(self, x, mapping):
        self.x, self.mapping = x, mapping
        self.shape, self.dtype = x.shape, x.dtype
        mapping.madvise(mmap.MADV_RANDOM)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        images = np.array(self.x[index])
        self.mapping.madvise(mmap.MADV_DONTNEED)  # it stays on disk, and cached
        return images


def from_disk(x):
    """`x`, so that reading it leaves no memory behind if it is memory-mapped.

    Args:
        x: array, perhaps of `np.load(file, mmap_mode="r")`, or lazy images.

    Returns:
        Something that is indexed like `x`.
    """
    base = x
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap) and base.mode == "c":
            return x  # its changes are in memory only
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        return _FromDisk(x, base)
    return x
