# A planner for a thousand tenants, a public data API, alerts, secrets, and a table that Google's own service loads.

module "leat" {
  source = "../.."

  project_id = "my-project"
  region     = "us-central1"
  name       = "stashstock"
  image      = "us-central1-docker.pkg.dev/my-project/stashstock/stashstock@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  sources    = ["stashstock"]

  dispatch         = "planner"
  planner_schedule = "*/5 * * * *"
  dispatches_max   = 20

  builds = {
    nightly = {
      schedule  = "30 6 * * *"
      time_zone = "America/Denver"
    }
  }

  secrets = {
    STASHSTOCK_VENDOR_KEY = "stashstock-vendor-key"
  }
  secret_versions = {
    STASHSTOCK_VENDOR_KEY = "3"
  }
  readable_secrets = ["projects/my-project/secrets/user-key-414"]

  service = {
    cpu           = "2"
    memory        = "2Gi"
    concurrency   = 8
    instances_max = 20
  }
  backfill = {
    tasks = 10
  }

  serve_api     = true
  api_is_public = true
  operators     = ["group:data@example.com"]
  alert_email   = "data@example.com"

  tables = {
    gcs_metrc_plants = {
      schema = jsonencode([
        { name = "tenant_id", type = "STRING" },
        { name = "id", type = "INTEGER" },
        { name = "_leat_package", type = "INTEGER" },
        { name = "_leat_row", type = "INTEGER" },
        { name = "_leat_extracted_at", type = "TIMESTAMP" },
      ])
      partition_column = "_leat_extracted_at"
      clustering       = ["tenant_id", "id"]
    }
  }
  transfers = {
    gcs_metrc_plants = {
      objects = "gs://my-project-stashstock-landing/landing/stashstock/metrc_plants/*.ndjson.gz"
    }
  }
}

output "api_url" {
  description = "Address of the data API."
  value       = module.leat.api_url
}
