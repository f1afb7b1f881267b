"""Reports that appear by themselves: a run is made once a period, alone, and leaves word where it fails.

``occasion``           a run, and the evidence that it need not make again
``ledger, index``      what a reports folder holds, and its overview; ``series`` whether anything is missing
``notice``             one message after a run
``timetable, hosts, clouds``  the files by which hosts and clouds run it
"""
