# leat on Google Cloud: Scheduler (or planner and Tasks) -> Cloud Run -> Cloud Storage -> BigQuery, and the data API.

locals {
  dataset_id    = "${replace(var.name, "-", "_")}_landing"
  bucket        = "${var.project_id}-${var.name}-landing"
  landing_url   = coalesce(var.landing_url, "gs://${local.bucket}")
  warehouse_url = coalesce(var.warehouse_url, "bigquery://${var.project_id}/${local.dataset_id}?location=${var.region}")
  queue         = "projects/${var.project_id}/locations/${var.region}/queues/${var.name}-syncs"

  environment = {
    GOOGLE_CLOUD_PROJECT = var.project_id
    LEAT_LANDING         = local.landing_url
    LEAT_WAREHOUSE       = local.warehouse_url
  }
}

module "apis" {
  source     = "./modules/apis"
  project_id = var.project_id
}

module "registry" {
  source     = "./modules/registry"
  project_id = var.project_id
  region     = var.region
  name       = var.name

  depends_on = [module.apis]
}

module "storage" {
  source              = "./modules/storage"
  project_id          = var.project_id
  region              = var.region
  bucket              = local.bucket
  landing_days        = var.landing_days
  deletion_protection = var.deletion_protection

  depends_on = [module.apis]
}

module "warehouse" {
  source              = "./modules/warehouse"
  project_id          = var.project_id
  region              = var.region
  dataset_id          = local.dataset_id
  view_datasets       = var.sources
  tables              = var.tables
  views               = var.views
  deletion_protection = var.deletion_protection

  depends_on = [module.apis]
}

module "secrets" {
  source     = "./modules/secrets"
  project_id = var.project_id
  secrets    = var.secrets

  depends_on = [module.apis]
}

module "app" {
  source              = "./modules/app"
  project_id          = var.project_id
  region              = var.region
  name                = var.name
  image               = var.image
  service             = var.service
  backfill            = var.backfill
  bucket              = module.storage.bucket
  datasets            = module.warehouse.datasets
  secrets             = module.secrets.names
  secret_versions     = var.secret_versions
  readable_secrets    = var.readable_secrets
  operators           = var.operators
  queue               = var.dispatch == "planner" ? local.queue : null
  deletion_protection = var.deletion_protection
  environment         = local.environment

  depends_on = [module.apis]
}

module "dispatch" {
  source           = "./modules/dispatch"
  project_id       = var.project_id
  region           = var.region
  name             = var.name
  dispatch         = var.dispatch
  syncs            = var.syncs
  planner_schedule = var.planner_schedule
  load_schedule    = length(var.transfers) > 0 ? null : var.load_schedule # Two loaders would load twice.
  share_schedule   = var.share_schedule
  builds           = var.builds
  dispatches_max   = var.dispatches_max
  service_uri      = module.app.uri
  caller_email     = module.app.caller_email
  sync_email       = module.app.sync_email

  depends_on = [module.apis]
}

module "api" {
  count  = var.serve_api ? 1 : 0
  source = "./modules/api"

  project_id          = var.project_id
  region              = var.region
  name                = var.name
  image               = var.image
  bucket              = module.storage.bucket
  is_public           = var.api_is_public
  callers             = var.api_callers
  deletion_protection = var.deletion_protection
  environment         = local.environment

  depends_on = [module.apis]
}

module "transfer" {
  count  = length(var.transfers) > 0 ? 1 : 0
  source = "./modules/transfer"

  project_id = var.project_id
  region     = var.region
  name       = var.name
  bucket     = module.storage.bucket
  dataset_id = module.warehouse.dataset_id
  transfers  = var.transfers

  depends_on = [module.apis]
}

module "alerts" {
  source      = "./modules/alerts"
  project_id  = var.project_id
  name        = var.name
  service     = module.app.service
  alert_email = var.alert_email

  depends_on = [module.apis]
}
