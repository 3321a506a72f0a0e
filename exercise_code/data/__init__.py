"""Data sets, transforms, and a loader of batches, built from scratch on NumPy."""

from exercise_code.data.base_dataset import Dataset, DummyDataset, select_split
from exercise_code.data.csv_dataset import CSVDataset, FeatureSelectorAndNormalizationTransform
from exercise_code.data.dataloader import DataLoader
from exercise_code.data.image_folder_dataset import ImageFolderDataset, MemoryImageFolderDataset
from exercise_code.data.transforms import (
    AddPepperNoise,
    ColorJitter,
    ComposeTransform,
    FlattenTransform,
    NormalizeTransform,
    RandomCrop,
    RandomHorizontalFlip,
    RescaleTransform,
    compute_image_mean_and_std,
    reseed_worker,
)

__all__ = [
    "AddPepperNoise",
    "CSVDataset",
    "ColorJitter",
    "ComposeTransform",
    "DataLoader",
    "Dataset",
    "DummyDataset",
    "FeatureSelectorAndNormalizationTransform",
    "FlattenTransform",
    "ImageFolderDataset",
    "MemoryImageFolderDataset",
    "NormalizeTransform",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RescaleTransform",
    "compute_image_mean_and_std",
    "reseed_worker",
    "select_split",
]
