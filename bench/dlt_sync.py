"""The same sync by dlt: `python dlt_sync.py URL FOLDER`. Prints one line of JSON.

rest_api source with dlt's own paginator, incremental cursor and primary key, merge into DuckDB, as its documentation
writes a REST pipeline.
"""
import json
import os
import resource
import sys
import time

url, folder = sys.argv[1:3]
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["DLT_DATA_DIR"] = folder
begun = time.perf_counter()

import dlt  # noqa: E402
from dlt.sources.rest_api import rest_api_source  # noqa: E402

source = rest_api_source(
    {
        "client": {
            "base_url": url,
            "paginator": {"type": "cursor", "cursor_path": "meta.next", "cursor_param": "page"},
        },
        "resources": [
            {
                "name": "records",
                "primary_key": "id",
                "write_disposition": "merge",
                "max_table_nesting": 0,
                "endpoint": {
                    "path": "page",
                    "data_selector": "data.items",
                    "incremental": {
                        "cursor_path": "updated_at",
                        "start_param": "since",
                        "initial_value": "2020-01-01T00:00:00Z",
                    },
                },
            }
        ],
    }
)
pipeline = dlt.pipeline(
    "bench",
    pipelines_dir=os.path.join(folder, "pipelines"),
    destination=dlt.destinations.duckdb(os.path.join(folder, "dlt.duckdb")),
    dataset_name="bench",
)
pipeline.run(source)
with pipeline.sql_client() as client:
    (records,) = client.execute_sql("select count(*) from records")[0]
print(
    json.dumps(
        {
            "records": records,
            "seconds": time.perf_counter() - begun,
            "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
