"""A peer of the benchmark: one route over a DataFrame in memory. `python serve_fastapi.py FILE.parquet`."""
import os
import socket
import sys
import threading

import pandas as pd
import uvicorn
from fastapi import FastAPI, HTTPException

deaths = pd.read_parquet(sys.argv[1], partitioning=None)
app = FastAPI()


@app.get("/year/{year}/geo_code/{geo_code}")
def read_year(year: int, geo_code: str):
    found = deaths[(deaths["year"] == year) & (deaths["geo_code"] == geo_code)]
    if found.empty:
        raise HTTPException(status_code=404, detail="nothing is there")
    data = {str(month)[:10]: int(count) for month, count in zip(found["month"], found["deaths"])}
    return {"year": year, "geo_code": geo_code, "data": data}


def end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]} {os.getpid()}", flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])
