"""Right versions of `data.image_folder_dataset`, written otherwise."""

import numpy as np

from exercise_code.support.checking.declare import variant

FOLDER = "data.image_folder_dataset.ImageFolderDataset."


@variant(FOLDER + "__len__")
def length_of_labels(self):
    return int(np.size(self.labels))


@variant(FOLDER + "__getitem__")
def item_step_by_step(self, index):
    sample = {}
    sample["label"] = self.labels[index]
    sample["image"] = type(self).load_image_as_numpy(self.images[index])
    if self.transform:
        sample["image"] = self.transform(sample["image"])
    return {"image": sample["image"], "label": sample["label"]}
