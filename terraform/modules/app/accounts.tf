# Two accounts: one works, one calls. Neither has a key, and neither can do what the other does.

resource "google_service_account" "sync" {
  project      = var.project_id
  account_id   = "${var.name}-sync"
  display_name = "leat: reads partners, writes landing and tables"
}

resource "google_service_account" "caller" {
  project      = var.project_id
  account_id   = "${var.name}-caller"
  display_name = "leat: Scheduler and Tasks call the sync service as this"
}

resource "google_storage_bucket_iam_member" "sync" {
  bucket = var.bucket
  role   = "roles/storage.objectUser"
  member = google_service_account.sync.member
}

# BigQuery looks at the bucket itself, its location for one, before it loads from it as this account.
resource "google_storage_bucket_iam_member" "sync_bucket" {
  bucket = var.bucket
  role   = "roles/storage.legacyBucketReader"
  member = google_service_account.sync.member
}

resource "google_bigquery_dataset_iam_member" "sync" {
  for_each = var.datasets

  project    = var.project_id
  dataset_id = each.value
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.sync.member
}

# Jobs belong to a project; what they may read and write is said by the datasets above.
resource "google_project_iam_member" "jobs" {
  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.sync.member
}

resource "google_secret_manager_secret_iam_member" "sync" {
  for_each = var.secrets

  project   = var.project_id
  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.sync.member
}

locals {
  regional_secrets = [for secret in var.readable_secrets : secret if strcontains(secret, "/locations/")]
}

resource "google_secret_manager_secret_iam_member" "readable" {
  for_each = setsubtract(var.readable_secrets, local.regional_secrets)

  project   = split("/", each.value)[1]
  secret_id = split("/", each.value)[3]
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.sync.member
}

# projects/.../locations/.../secrets/...
resource "google_secret_manager_regional_secret_iam_member" "readable" {
  for_each = toset(local.regional_secrets)

  project   = split("/", each.value)[1]
  location  = split("/", each.value)[3]
  secret_id = split("/", each.value)[5]
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.sync.member
}

# A task is sent as the caller; whoever makes it must be allowed to act as that account.
resource "google_service_account_iam_member" "act_as_caller" {
  count = var.queue == null ? 0 : 1

  service_account_id = google_service_account.caller.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.sync.member
}

resource "google_cloud_run_v2_service_iam_member" "caller" {
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.sync.name
  role     = "roles/run.invoker"
  member   = google_service_account.caller.member
}

resource "google_cloud_run_v2_service_iam_member" "operators" {
  for_each = toset(var.operators)

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.sync.name
  role     = "roles/run.invoker"
  member   = each.value
}

resource "google_cloud_run_v2_job_iam_member" "operators" {
  for_each = toset(var.operators)

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.backfill.name
  role     = "roles/run.jobsExecutorWithOverrides"
  member   = each.value
}
