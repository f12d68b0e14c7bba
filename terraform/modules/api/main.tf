# The data API: the same image, another command, and no right but to read the bucket.

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "region" {
  description = "Region of the service."
  type        = string
}

variable "name" {
  description = "Begins the names of service and account."
  type        = string
}

variable "image" {
  description = "The container image."
  type        = string
}

variable "bucket" {
  description = "Where the datasets are."
  type        = string
}

variable "is_public" {
  description = "Whether everybody may call it."
  type        = bool
}

variable "callers" {
  description = "Who else may."
  type        = list(string)
}

variable "deletion_protection" {
  description = "Whether the service refuses to be deleted."
  type        = bool
}

variable "environment" {
  description = "Its variables, none of them secret."
  type        = map(string)
}

resource "google_service_account" "api" {
  project      = var.project_id
  account_id   = "${var.name}-api"
  display_name = "leat: serves datasets"
}

resource "google_storage_bucket_iam_member" "api" {
  bucket = var.bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.api.member
}

resource "google_cloud_run_v2_service" "api" {
  project             = var.project_id
  location            = var.region
  name                = "${var.name}-api"
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = var.deletion_protection

  template {
    service_account                  = google_service_account.api.email
    timeout                          = "60s"
    max_instance_request_concurrency = 80

    scaling {
      min_instance_count = 0
      max_instance_count = 4
    }

    containers {
      image = var.image
      args  = ["serve", "--host", "0.0.0.0"]

      resources {
        limits = {
          cpu    = "1"
          memory = "2Gi"
        }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = var.environment

        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "callers" {
  for_each = toset(var.is_public ? ["allUsers"] : var.callers)

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.api.name
  role     = "roles/run.invoker"
  member   = each.value
}

output "uri" {
  description = "Address of the service."
  value       = google_cloud_run_v2_service.api.uri
}
