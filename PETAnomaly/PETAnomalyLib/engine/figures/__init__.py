"""Pictures of one study: projections, the overview, charts.

May use: study, findings, scoring, phantom, runtime.
"""
