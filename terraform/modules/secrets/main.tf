# Places for secrets. Their values are added by hand, so that none is ever in Terraform's state.

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "secrets" {
  description = "Variable of the service => name of the secret."
  type        = map(string)
}

resource "google_secret_manager_secret" "secret" {
  for_each = var.secrets

  project   = var.project_id
  secret_id = each.value

  replication {
    auto {}
  }
}

output "names" {
  description = "Variable of the service => name of the secret."
  value       = { for variable, secret in google_secret_manager_secret.secret : variable => secret.secret_id }
}
