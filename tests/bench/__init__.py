"""`python -m tests.bench`, or `./run bench`: what a visit costs, as counts and as ratios measured in one run.

A report, not a test: a missed target is printed and written down, and the exit status stays 0. What must hold on every
computer (the counts) is asserted in the tests as well.
"""
