"""How people get `data.image_folder_dataset` wrong, and the hint each mistake deserves."""

import numpy as np

from exercise_code.data.image_folder_dataset import ImageFolderDataset
from exercise_code.support.checking.declare import mistake

LENGTH = "data.image_folder_dataset.ImageFolderDataset.__len__"


@mistake(LENGTH, hint="This is the number of classes: the samples are the images.")
def length_of_classes(self):
    return len(self.classes)


@mistake(LENGTH, hint="The number is there but nothing is returned: end with `return`.", raises=TypeError)
def length_without_return(self):
    len(self.images)


@mistake(LENGTH, hint="The number is fixed: a folder may hold any number of images.")
def length_of_cifar(self):
    return 50_000


@mistake(LENGTH, hint="This is the largest index. Counting starts at 0, so the length is one more.")
def length_one_short(self):
    return len(self.images) - 1


@mistake(LENGTH, hint="`len` must give a whole number: an array or a float is none.", raises=TypeError)
def length_as_array(self):
    return np.array([len(self.images)])


ITEM = "data.image_folder_dataset.ImageFolderDataset.__getitem__"


@mistake(ITEM, hint="`self.transform` may be None, and None cannot be called: ask first.", raises=TypeError)
def item_always_transforms(self, index):
    image = self.transform(self.load_image_as_numpy(self.images[index]))
    return {"image": image, "label": self.labels[index]}


@mistake(ITEM, hint="The transform is not applied, or what it returns is thrown away.")
def item_without_transform(self, index):
    return {"image": self.load_image_as_numpy(self.images[index]), "label": self.labels[index]}


@mistake(ITEM, hint="A pair comes back: samples are dicts, with the keys `image` and `label`.")
def item_as_pair(self, index):
    image = self.load_image_as_numpy(self.images[index])
    return image if self.transform is None else self.transform(image), self.labels[index]


@mistake(ITEM, hint="The name of the class comes back: networks count in labels, so give its number.")
def item_with_class_name(self, index):
    image = self.load_image_as_numpy(self.images[index])
    image = image if self.transform is None else self.transform(image)
    return {"image": image, "label": self.classes[self.labels[index]]}


@mistake(ITEM, hint="The path comes back. It is the image that is asked for: load it.")
def item_with_path(self, index):
    return {"image": self.images[index], "label": self.labels[index]}


@mistake(ITEM, hint="The pixels are divided by 255 here; scaling is the business of a transform.")
def item_rescaled(self, index):
    image = self.load_image_as_numpy(self.images[index]) / 255
    return {"image": image if self.transform is None else self.transform(image), "label": self.labels[index]}


@mistake(
    ITEM + ":memory",
    hint="A file is opened whatever the subclass says: `load_image_as_numpy` is a method of `self`.",
    raises=AttributeError,
)
def item_names_the_class(self, index):
    image = ImageFolderDataset.load_image_as_numpy(self.images[index])
    return {"image": image if self.transform is None else self.transform(image), "label": self.labels[index]}
