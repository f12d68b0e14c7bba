# What calls the sync service: a job for each stream and tenant, or a planner with a queue; and jobs that load and build.

locals {
  deadline = "1800s" # The longest that Cloud Scheduler waits.

  syncs = {
    for key, sync in var.syncs : key => {
      path        = replace("/${urlencode(sync.source)}/${urlencode(sync.stream)}", "+", "%20")
      body        = jsonencode({ tenant_id = sync.tenant_id })
      schedule    = sync.schedule
      time_zone   = sync.time_zone
      paused      = sync.paused
      retries     = 3
      description = "Syncs ${sync.source}.${sync.stream} of tenant ${sync.tenant_id}."
    } if var.dispatch == "scheduler"
  }

  # For all tenants at once. One retry is enough: the next tick makes up for it.
  works = {
    plan = {
      schedule    = var.dispatch == "planner" ? var.planner_schedule : null
      time_zone   = "Etc/UTC"
      description = "Puts syncs that are due into the queue."
    }
    load = {
      schedule    = var.load_schedule
      time_zone   = "Etc/UTC"
      description = "Loads what is landed, one load a stream."
    }
    share = {
      schedule    = var.share_schedule
      time_zone   = "Etc/UTC"
      description = "Brings customers' warehouses up to date, each with its own rows."
    }
  }

  builds = {
    for key, build in var.builds : "build-${key}" => {
      path        = "/build"
      body        = jsonencode({ for name in ["dataset"] : name => build.datasets if length(build.datasets) > 0 })
      schedule    = build.schedule
      time_zone   = build.time_zone
      paused      = false
      retries     = 1
      description = "Builds datasets from what is loaded."
    }
  }

  jobs = merge(local.syncs, local.builds, {
    for key, work in local.works : key => {
      path        = "/${key}"
      body        = "{}"
      schedule    = work.schedule
      time_zone   = work.time_zone
      paused      = false
      retries     = 1
      description = work.description
    } if work.schedule != null
  })
}

resource "google_cloud_scheduler_job" "job" {
  for_each = local.jobs

  project          = var.project_id
  region           = var.region
  name             = "${var.name}-${each.key}"
  description      = each.value.description
  schedule         = each.value.schedule
  time_zone        = each.value.time_zone
  paused           = each.value.paused
  attempt_deadline = local.deadline

  # A retry has the same schedule time, so that what was done is not done again.
  retry_config {
    retry_count          = each.value.retries
    min_backoff_duration = "30s"
    max_backoff_duration = "600s"
  }

  http_target {
    uri         = "${var.service_uri}${each.value.path}"
    http_method = "POST"
    headers = {
      "Content-Type" = "application/json"
    }
    body = base64encode(each.value.body)

    oidc_token {
      service_account_email = var.caller_email
      audience              = var.service_uri
    }
  }
}

resource "google_cloud_tasks_queue" "syncs" {
  count = var.dispatch == "planner" ? 1 : 0

  project  = var.project_id
  location = var.region
  name     = "${var.name}-syncs"

  rate_limits {
    max_concurrent_dispatches = var.dispatches_max
    max_dispatches_per_second = 50
  }

  # The next tick makes a task of its own; after an hour there is no use in trying this one.
  retry_config {
    max_attempts       = 5
    max_retry_duration = "3600s"
    min_backoff        = "30s"
    max_backoff        = "600s"
    max_doublings      = 4
  }
}

resource "google_cloud_tasks_queue_iam_member" "planner" {
  count = var.dispatch == "planner" ? 1 : 0

  project  = var.project_id
  location = var.region
  name     = google_cloud_tasks_queue.syncs[0].name
  role     = "roles/cloudtasks.enqueuer"
  member   = "serviceAccount:${var.sync_email}"
}

output "jobs" {
  description = "Jobs of Cloud Scheduler, by key."
  value       = { for key, job in google_cloud_scheduler_job.job : key => job.name }
}
