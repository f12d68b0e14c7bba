# Google's own Data Transfer Service in place of leat's load. Its limits: at least 15 minutes between runs; tables and their
# fields must exist, and a new field fails the run; a file that is touched is loaded again; and an edit of `objects` makes
# a new transfer, which has no memory of what was loaded and loads all of it again.

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "region" {
  description = "Location of bucket and dataset."
  type        = string
}

variable "name" {
  description = "Begins the names of transfers."
  type        = string
}

variable "bucket" {
  description = "Bucket that is read."
  type        = string
}

variable "dataset_id" {
  description = "Dataset of the tables."
  type        = string
}

variable "transfers" {
  description = "By table: objects, schedule, and how many bad records are taken."
  type = map(object({
    objects         = string
    schedule        = string
    bad_records_max = number
  }))
}

resource "google_service_account" "transfer" {
  project      = var.project_id
  account_id   = "${var.name}-transfer"
  display_name = "leat: Data Transfer Service reads the landing as this"
}

resource "google_storage_bucket_iam_member" "transfer" {
  bucket = var.bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.transfer.member
}

resource "google_storage_bucket_iam_member" "transfer_bucket" {
  bucket = var.bucket
  role   = "roles/storage.legacyBucketReader"
  member = google_service_account.transfer.member
}

resource "google_bigquery_dataset_iam_member" "transfer" {
  project    = var.project_id
  dataset_id = var.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.transfer.member
}

resource "google_project_iam_member" "jobs" {
  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.transfer.member
}

resource "google_bigquery_data_transfer_config" "transfer" {
  for_each = var.transfers

  project                = var.project_id
  location               = var.region
  display_name           = "${var.name}-${each.key}"
  data_source_id         = "google_cloud_storage"
  destination_dataset_id = var.dataset_id
  schedule               = each.value.schedule
  service_account_name   = google_service_account.transfer.email

  params = {
    data_path_template              = each.value.objects
    destination_table_name_template = each.key
    file_format                     = "JSON"
    write_disposition               = "APPEND"
    max_bad_records                 = tostring(each.value.bad_records_max)
    ignore_unknown_values           = "true" # Fields that the table has not.
  }

  email_preferences {
    enable_failure_email = true
  }

  depends_on = [google_storage_bucket_iam_member.transfer, google_bigquery_dataset_iam_member.transfer]
}
