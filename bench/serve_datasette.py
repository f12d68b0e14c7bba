"""A peer of the benchmark: Datasette over the same rows in SQLite. `python serve_datasette.py FILE.csv`."""
import csv
import os
import socket
import sqlite3
import sys
import threading

import uvicorn
from datasette.app import Datasette


def make_database(source, path):
    if os.path.exists(path):
        return
    database = sqlite3.connect(path + ".new")
    database.execute("PRAGMA journal_mode = OFF")
    database.execute(
        "CREATE TABLE deaths (geo_code TEXT, year INTEGER, month TEXT, deaths INTEGER, PRIMARY KEY (geo_code, month)) WITHOUT ROWID"
    )
    with open(source, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        database.executemany("INSERT INTO deaths VALUES (?, ?, ?, ?)", rows)
    database.execute("CREATE INDEX by_area_and_year ON deaths (geo_code, year)")
    database.commit()
    database.close()
    os.rename(path + ".new", path)


def end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    path = os.path.join(os.path.dirname(sys.argv[1]), "deaths.db")
    make_database(sys.argv[1], path)
    app = Datasette([], immutables=[path], settings={"suggest_facets": False}).app()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]} {os.getpid()}", flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])
