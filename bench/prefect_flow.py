"""The flow of bench/flow-project in Prefect 3: python prefect_flow.py TASKS. Prints one line of JSON."""

import json
import sys
import time

from prefect import flow, task


@task
def noop(n):
    return n


@flow
def empty():
    return None


@flow
def chain(count):
    total = 0
    for n in range(count):
        total += noop(n)
    return total


count = int(sys.argv[1])
empty()  # Its own server is started by the first run, and the database made.
started = time.perf_counter()
empty()
without = time.perf_counter() - started
started = time.perf_counter()
assert chain(count) == count * (count - 1) // 2
with_tasks = time.perf_counter() - started
print(json.dumps({"tasks": count, "emptySeconds": without, "taskSeconds": (with_tasks - without) / count}))
