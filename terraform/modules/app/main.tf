# The sync service, and the job for what takes longer than a request may: one image, two commands.

locals {
  planner = var.queue == null ? {} : {
    LEAT_QUEUE        = "cloud-tasks://${var.queue}"
    LEAT_TASKS_CALLER = google_service_account.caller.email
  }
}

resource "google_cloud_run_v2_service" "sync" {
  project             = var.project_id
  location            = var.region
  name                = "${var.name}-sync"
  deletion_protection = var.deletion_protection
  # Scheduler and Tasks of the project count as inside; people do not.
  ingress = length(var.operators) > 0 ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"

  template {
    service_account                  = google_service_account.sync.email
    timeout                          = "${var.service.timeout_seconds}s"
    max_instance_request_concurrency = var.service.concurrency

    scaling {
      min_instance_count = 0
      max_instance_count = var.service.instances_max
    }

    containers {
      image = var.image
      args = [
        "serve-sync", "--host", "0.0.0.0", "--no-load",
        "--auth", "iam",
        "--soft-deadline", tostring(var.service.soft_deadline_seconds),
        "--concurrency", tostring(var.service.concurrency),
      ]

      resources {
        limits = {
          cpu    = var.service.cpu
          memory = var.service.memory
        }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 2
        failure_threshold = 30
        http_get {
          path = "/ready"
        }
      }

      liveness_probe {
        period_seconds = 30
        http_get {
          path = "/live"
        }
      }

      dynamic "env" {
        for_each = merge(var.environment, local.planner)

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secrets

        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = env.value
              version = lookup(var.secret_versions, env.key, "latest")
            }
          }
        }
      }
    }
  }

  # Without the right to read them, a revision with secrets does not start.
  depends_on = [google_secret_manager_secret_iam_member.sync]
}

resource "google_cloud_run_v2_job" "backfill" {
  project             = var.project_id
  location            = var.region
  name                = "${var.name}-backfill"
  deletion_protection = var.deletion_protection

  template {
    task_count  = var.backfill.tasks
    parallelism = var.backfill.tasks

    template {
      service_account = google_service_account.sync.email
      timeout         = "${var.backfill.timeout_seconds}s"
      # Cloud Run may retry tasks that have succeeded; what was landed is not landed again.
      max_retries = 3

      containers {
        image = var.image
        # What it lands is loaded by the service's next load, with everybody else's.
        args = ["extract"]

        resources {
          limits = {
            cpu    = var.backfill.cpu
            memory = var.backfill.memory
          }
        }

        dynamic "env" {
          for_each = var.environment

          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = var.secrets

          content {
            name = env.key
            value_source {
              secret_key_ref {
                secret  = env.value
                version = lookup(var.secret_versions, env.key, "latest")
              }
            }
          }
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.sync]
}
