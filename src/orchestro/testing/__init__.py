"""Shipped for tests: fakes with memory, conformance suites for implementers, and the pytest plugin.

Never imported by production code.
"""
