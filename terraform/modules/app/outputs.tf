output "uri" {
  description = "Address of the service."
  value       = google_cloud_run_v2_service.sync.uri
}

output "service" {
  description = "Name of the service."
  value       = google_cloud_run_v2_service.sync.name
}

output "job" {
  description = "Name of the job for back-fills."
  value       = google_cloud_run_v2_job.backfill.name
}

output "caller_email" {
  description = "The account that calls."
  value       = google_service_account.caller.email
}

output "sync_email" {
  description = "The account that works."
  value       = google_service_account.sync.email
}
