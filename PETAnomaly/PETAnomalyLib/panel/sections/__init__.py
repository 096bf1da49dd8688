"""What is seen: the panel's sections, from study to findings.

May use: jobs, scene, environment.
"""
