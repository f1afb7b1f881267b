"""Reports that appear by themselves: a run is made once per period, alone, and says so if it fails.

``occasion``   a run, and the evidence that it need not make again;  ``due``: evidence is made unless it exists
``series``     whether anything is missing;  ``told``: the answer for people and machines
``notice``     one message after a run
``timetable, hosts, clouds``  the files by which hosts and clouds run it
"""
