"""Data sets by name, label splits by seed, semi-supervised batches."""

from keras_saae.data.loading import Dataset, available, load
from keras_saae.data.semi_supervised import SemiSupervisedDataset
from keras_saae.data.splits import Split, split_labels
from keras_saae.data.unlabelled import UnlabelledDataset

__all__ = [
    "Dataset",
    "SemiSupervisedDataset",
    "Split",
    "UnlabelledDataset",
    "available",
    "load",
    "split_labels",
]
