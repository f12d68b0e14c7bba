"""The same files by pandas: `python pandas_excel.py ENGINE TIMES FILE...`. Prints one line of JSON.

Every sheet of every file as a DataFrame, no row taken for a header, as its documentation reads a whole workbook.
ENGINE `old` stands for the engines of its own choice before calamine: xlrd for .xls, openpyxl for .xlsx.
"""
import json
import resource
import statistics
import sys
import time
import warnings

import pandas

warnings.simplefilter("ignore")  # Of extensions and styles that openpyxl leaves out.
engine, times, *files = sys.argv[1:]


def engine_for(path):
    if engine != "old":
        return engine
    return "xlrd" if path.endswith(".xls") else "openpyxl"


seconds = []
for _ in range(int(times)):
    rows = cells = 0
    begun = time.perf_counter()
    for path in files:
        for frame in pandas.read_excel(path, sheet_name=None, header=None, engine=engine_for(path)).values():
            rows += len(frame)
            cells += int(frame.size)
    seconds.append(time.perf_counter() - begun)
print(
    json.dumps(
        {
            "rows": rows,
            "cells": cells,
            "seconds": statistics.median(seconds),
            "first": seconds[0],
            "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
