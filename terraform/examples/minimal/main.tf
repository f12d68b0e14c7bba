# One stream of one tenant, every hour.

module "leat" {
  source = "../.."

  project_id = "my-project"
  name       = "shop"
  image      = "europe-west1-docker.pkg.dev/my-project/shop/shop:latest"
  sources    = ["shop"]

  syncs = {
    shop-orders-414 = {
      source    = "shop"
      stream    = "orders"
      tenant_id = "414"
      schedule  = "0 * * * *"
    }
  }
}

output "sync_url" {
  description = "Address of the sync service."
  value       = module.leat.sync_url
}
