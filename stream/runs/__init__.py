"""Runs that are tracked: what a run is told and what it works on, and its curves and figures, in
TensorBoard's event files, in a database of MLflow or in an offline run of Weights & Biases, whose
packages are imported where they are named, and only there.
"""
