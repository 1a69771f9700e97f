"""Data sets by name, label splits by seed, semi-supervised batches."""

from keras_saae.data.folders import ImageFolder, image_folder
from keras_saae.data.groups import (
    class_groups,
    group_probabilities,
    main_labels,
    partial_labels,
)
from keras_saae.data.lazy import LazyImages, Subset
from keras_saae.data.loading import Dataset, available, load
from keras_saae.data.semi_supervised import SemiSupervisedDataset
from keras_saae.data.splits import Split, split_labels
from keras_saae.data.unlabelled import UnlabelledDataset

__all__ = [
    "Dataset",
    "ImageFolder",
    "LazyImages",
    "SemiSupervisedDataset",
    "Split",
    "Subset",
    "UnlabelledDataset",
    "available",
    "class_groups",
    "group_probabilities",
    "image_folder",
    "load",
    "main_labels",
    "partial_labels",
    "split_labels",
]
