# One job for each stream and tenant, or a planner with a queue.

mock_provider "google" {}

variables {
  project_id       = "my-project"
  region           = "europe-west1"
  name             = "shop"
  dispatch         = "scheduler"
  planner_schedule = "*/5 * * * *"
  load_schedule    = "*/15 * * * *"
  share_schedule   = null
  builds           = {}
  dispatches_max   = 10
  service_uri      = "https://shop-sync-abc-ew.a.run.app"
  caller_email     = "shop-caller@my-project.iam.gserviceaccount.com"
  sync_email       = "shop-sync@my-project.iam.gserviceaccount.com"
  syncs = {
    orders-414 = {
      source    = "old shop"
      stream    = "orders"
      tenant_id = "414"
      schedule  = "0 5 * * *"
      time_zone = "America/Denver"
      paused    = true
    }
  }
}

run "a_job_for_each_stream_and_tenant" {
  command = apply

  module {
    source = "./modules/dispatch"
  }

  assert {
    condition     = toset(keys(google_cloud_scheduler_job.job)) == toset(["orders-414", "load"])
    error_message = "One sync and the load."
  }
  assert {
    condition     = google_cloud_scheduler_job.job["orders-414"].http_target[0].uri == "https://shop-sync-abc-ew.a.run.app/old%20shop/orders"
    error_message = "It calls its stream."
  }
  assert {
    condition     = jsondecode(base64decode(google_cloud_scheduler_job.job["orders-414"].http_target[0].body)) == { tenant_id = "414" }
    error_message = "It names its tenant."
  }
  assert {
    condition     = google_cloud_scheduler_job.job["orders-414"].http_target[0].oidc_token[0].audience == "https://shop-sync-abc-ew.a.run.app"
    error_message = "Its token is for the service's own address."
  }
  assert {
    condition     = google_cloud_scheduler_job.job["orders-414"].attempt_deadline == "1800s" && google_cloud_scheduler_job.job["orders-414"].paused && google_cloud_scheduler_job.job["orders-414"].time_zone == "America/Denver"
    error_message = "It waits as long as it can, and is paused where that is said."
  }
  assert {
    condition     = length(google_cloud_tasks_queue.syncs) == 0
    error_message = "There is no queue."
  }
}

run "a_planner_and_its_queue" {
  command = apply

  module {
    source = "./modules/dispatch"
  }

  variables {
    dispatch       = "planner"
    share_schedule = "7-59/15 * * * *"
    builds = {
      all = {
        schedule  = "30 6 * * *"
        time_zone = "Europe/Vienna"
        datasets  = []
      }
      some = {
        schedule  = "0 * * * *"
        time_zone = "Etc/UTC"
        datasets  = ["sales"]
      }
    }
  }

  assert {
    condition     = toset(keys(google_cloud_scheduler_job.job)) == toset(["plan", "load", "share", "build-all", "build-some"])
    error_message = "The planner, the load, the shares and the builds, whatever there is to sync."
  }
  assert {
    condition     = base64decode(google_cloud_scheduler_job.job["build-all"].http_target[0].body) == "{}" && base64decode(google_cloud_scheduler_job.job["build-some"].http_target[0].body) == "{\"dataset\":[\"sales\"]}"
    error_message = "A build says which datasets, or all."
  }
  assert {
    condition     = google_cloud_tasks_queue.syncs[0].rate_limits[0].max_concurrent_dispatches == 10
    error_message = "The partner's limit is the queue's."
  }
  assert {
    condition     = google_cloud_tasks_queue_iam_member.planner[0].member == "serviceAccount:shop-sync@my-project.iam.gserviceaccount.com"
    error_message = "The app may fill the queue."
  }
}

run "nothing_is_loaded_twice" {
  command = apply

  module {
    source = "./modules/dispatch"
  }

  variables {
    load_schedule = null
  }

  assert {
    condition     = toset(keys(google_cloud_scheduler_job.job)) == toset(["orders-414"])
    error_message = "Where Google's own service loads, leat does not."
  }
}
