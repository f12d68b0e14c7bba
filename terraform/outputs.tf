output "sync_url" {
  description = "Address of the sync service. It lets in the caller's account and the operators."
  value       = module.app.uri
}

output "api_url" {
  description = "Address of the data API; null: it is not served."
  value       = one(module.api[*].uri)
}

output "repository" {
  description = "Where images are pushed."
  value       = module.registry.url
}

output "bucket" {
  description = "The landing."
  value       = module.storage.bucket
}

output "warehouse_url" {
  description = "The warehouse, as LEAT_WAREHOUSE names it."
  value       = local.warehouse_url
}

output "landing_url" {
  description = "The landing, as LEAT_LANDING names it."
  value       = local.landing_url
}

output "backfill_job" {
  description = "The job for long back-fills: gcloud run jobs execute NAME --args=extract,--from=2020-01-01"
  value       = module.app.job
}

output "secrets_to_fill" {
  description = "Secrets that were made without a value."
  value       = values(module.secrets.names)
}
