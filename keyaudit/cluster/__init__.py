"""Work for the workers of a Dask cluster: functions of bytes, named by module and name.

``address`` where the scheduler is, and whether others can reach it;  ``client`` an executor of its workers
``task``    what a worker runs;  ``hand`` the process of a worker that forks for each task
``local``   a cluster of this machine, for trying;  ``serve`` its processes
"""
