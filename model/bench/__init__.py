"""Benchmarks: what starting, answering and training cost on this machine, as values and as ratios.

A ratio compares a cost with a simple operation that was timed in turn with it: times depend on the machine and its
load, ratios hardly.
"""
