"""What several files of mistakes here share."""

BIAS_FIRST = "The column of ones is in front: the bias is the last weight, so it belongs at the end."
