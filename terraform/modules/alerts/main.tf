# Two alerts: syncs that fail, and syncs that have stopped.

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "name" {
  description = "Begins the names."
  type        = string
}

variable "service" {
  description = "Name of the sync service."
  type        = string
}

variable "alert_email" {
  description = "Who is told; null: nobody."
  type        = string
}

resource "google_monitoring_notification_channel" "email" {
  count = var.alert_email == null ? 0 : 1

  project      = var.project_id
  display_name = "${var.name}: failures"
  type         = "email"
  labels = {
    email_address = var.alert_email
  }
}

resource "google_logging_metric" "failures" {
  project     = var.project_id
  name        = "${var.name}-sync-failures"
  description = "Syncs, loads and builds that have failed; retries that came through are not among them."
  filter      = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.service}\" AND jsonPayload.err.code:* AND NOT jsonPayload.err.code=(\"STATE_CONFLICT\" OR \"BUSY\" OR \"INTERRUPTED\")"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_logging_metric" "syncs" {
  project     = var.project_id
  name        = "${var.name}-syncs"
  description = "Syncs that have succeeded."
  filter      = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.service}\" AND jsonPayload.message=\"synced\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_monitoring_alert_policy" "failures" {
  project               = var.project_id
  display_name          = "${var.name}: syncs fail"
  combiner              = "OR"
  notification_channels = google_monitoring_notification_channel.email[*].name

  conditions {
    display_name = "more than five failures in ten minutes"
    condition_threshold {
      filter          = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.failures.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 5
      duration        = "0s"
      aggregations {
        alignment_period   = "600s"
        per_series_aligner = "ALIGN_SUM"
      }
    }
  }

  documentation {
    content = "Look at the log of ${var.service}: each line has a code, what happened and what to do. Nothing is lost: what was committed stays, and the next sync goes on from there."
  }
}

resource "google_monitoring_alert_policy" "silence" {
  project               = var.project_id
  display_name          = "${var.name}: no sync has succeeded for a day"
  combiner              = "OR"
  notification_channels = google_monitoring_notification_channel.email[*].name

  conditions {
    display_name = "no success"
    condition_absent {
      # The longest absence that Cloud Monitoring watches for is 23.5 hours.
      duration = "84600s"
      filter   = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.syncs.name}\""
      aggregations {
        alignment_period   = "600s"
        per_series_aligner = "ALIGN_SUM"
      }
    }
  }

  documentation {
    content = "Are the jobs of Cloud Scheduler paused, or is ${var.service} not reached?"
  }
}
