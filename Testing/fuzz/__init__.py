"""A fuzzer over the headers and the bytes of image files and DICOM series.

Honest small files whose volume is known are written in every variant of their format, then damaged
or made to lie, and read by the engine in a process of its own. The engine may refuse, with one of
its own errors, in little time and memory; or read just what a second, independent reader makes of
the same bytes. Anything else is a finding.

    case.py                         one case, and what it must come to
    volumes.py, damage.py           known volumes; harm that any file can come to
    *_files.py, *_truth.py          a format's cases; what its bytes mean, read independently
    reading.py, worker.py           the engine (this one, an older one, or ITK alone), in a process
    judgement.py, campaign.py       whether an answer is a finding; case after case
"""
