# The landing. Objects are never changed, so there are no versions of them; what is deleted can be had back for a week.

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "region" {
  description = "Region of the bucket."
  type        = string
}

variable "bucket" {
  description = "Name of the bucket, unique in the world."
  type        = string
}

variable "landing_days" {
  description = "Days after which landed files move to a cheaper class; 0: never."
  type        = number
}

variable "deletion_protection" {
  description = "Whether a bucket that holds something refuses to be deleted."
  type        = bool
}

resource "google_storage_bucket" "landing" {
  project                     = var.project_id
  name                        = var.bucket
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  # Copies on their way into BigQuery, which a killed process has left.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 3
      matches_prefix = ["leat-stage/"]
    }
  }

  # Only the raw files: manifests and heads are read at every sync.
  dynamic "lifecycle_rule" {
    for_each = var.landing_days > 0 ? [var.landing_days] : []

    content {
      action {
        type          = "SetStorageClass"
        storage_class = "NEARLINE"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = ["landing/"]
      }
    }
  }
}

output "bucket" {
  description = "Name of the bucket."
  value       = google_storage_bucket.landing.name
}
