"""What several files of variants here share."""

LC, NN, FE = "linear.linear_classifier.", "linear.two_layer_net.", "linear.features."
