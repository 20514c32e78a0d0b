"""An event's way as plain functions from state and records to effects: validate, denoise, privacy,
fold, lists, publish. It knows no framework: no Faust, no Kafka, no torch.
"""
