"""What people decide about lists: overrides, whom they cover, which of two holds, and who approves
them.
"""
