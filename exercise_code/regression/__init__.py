"""Linear and logistic regression, and what trains them, with gradients by hand."""

from exercise_code.regression import housing, solver
from exercise_code.regression.classifier import Classifier
from exercise_code.regression.linear_model import LinearModel
from exercise_code.regression.loss import BCE, L1, MSE, Loss
from exercise_code.regression.optimizer import Optimizer

__all__ = ["BCE", "L1", "MSE", "Classifier", "LinearModel", "Loss", "Optimizer", "housing", "solver"]
