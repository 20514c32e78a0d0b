"""What stands between the socket and the calls: who calls, how often, how large a body may be, what
a request says, what is answered instead, and what is counted of all that. It knows no call.
"""
