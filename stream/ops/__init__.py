"""What an operator does: the command line, doctor, snapshots, and the supervisor of the processes.
Thin: it calls the other rooms.
"""
