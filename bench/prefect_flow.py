"""The flow of bench/flows.ts in Prefect 3: python prefect_flow.py TASKS. Prints one line of JSON."""

import json
import sys
import time

from prefect import flow, task


@task
def noop(n):
    return n


@flow
def chain(count):
    started = time.perf_counter()
    total = 0
    for n in range(count):
        total += noop(n)
    # Its own beginning and end are left out, in which a server is asked several times.
    return total, time.perf_counter() - started


count = int(sys.argv[1])
chain(1)  # Its own server is started by the first run, and the database made.
total, seconds = chain(count)
assert total == count * (count - 1) // 2
print(json.dumps({"tasks": count, "taskSeconds": seconds / count}))
