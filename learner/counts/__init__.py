"""What is counted of behaviour: co-visitation, transitions, popularity, newcomers. Decayed,
bounded, without a gradient. It knows nothing of models and lists.
"""
