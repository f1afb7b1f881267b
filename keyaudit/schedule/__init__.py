"""Reports that appear by themselves: a run is made once a period, alone, and leaves word where it fails.

``calendar``   how often, and the periods that follow from it
``occasion``   a run, and the evidence that it need not make again;  ``due``: it is made, unless it is there
``counting``   which evidence counts for which period
``series``     whether anything is missing;  ``told``: that for people and machines
``notice``     one message after a run
``timetable, hosts, clouds``  the files by which hosts and clouds run it
"""
