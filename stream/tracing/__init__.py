"""Traces of events, from the app to their list: spans by OpenTelemetry, whose packages are imported
where they are switched on, and only there.
"""
