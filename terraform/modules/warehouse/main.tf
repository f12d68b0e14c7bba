# Datasets of tables and views. leat makes tables and adds fields to them itself: a schema in Terraform would be undone by
# the next new field of a partner, or undo it.

variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "region" {
  description = "Location of the datasets: the bucket's."
  type        = string
}

variable "dataset_id" {
  description = "Dataset of the landing tables."
  type        = string
}

variable "view_datasets" {
  description = "Datasets of views: one for each source."
  type        = list(string)
}

variable "tables" {
  description = "Landing tables that must exist before their first load."
  type = map(object({
    schema            = string
    partition_column  = optional(string)
    clustering        = optional(list(string), [])
    delete_protection = optional(bool, true)
  }))
}

variable "views" {
  description = "Views on those tables."
  type = map(object({
    dataset     = string
    name        = string
    query       = string
    description = optional(string, "")
  }))
  default = {}
}

variable "deletion_protection" {
  description = "Whether datasets that hold tables refuse to be deleted."
  type        = bool
}

resource "google_bigquery_dataset" "dataset" {
  for_each = toset(concat([var.dataset_id], [for name in var.view_datasets : replace(name, "/[^A-Za-z0-9_]/", "_")]))

  project                    = var.project_id
  dataset_id                 = each.value
  location                   = var.region
  description                = each.value == var.dataset_id ? "Landing tables of leat." : "Views of leat on the source ${each.value}."
  delete_contents_on_destroy = !var.deletion_protection
}

resource "google_bigquery_table" "table" {
  for_each = var.tables

  project             = var.project_id
  dataset_id          = google_bigquery_dataset.dataset[var.dataset_id].dataset_id
  table_id            = each.key
  schema              = each.value.schema
  clustering          = length(each.value.clustering) > 0 ? each.value.clustering : null
  deletion_protection = var.deletion_protection && each.value.delete_protection

  dynamic "time_partitioning" {
    for_each = each.value.partition_column == null ? [] : [each.value.partition_column]

    content {
      type  = "DAY"
      field = time_partitioning.value
    }
  }

  lifecycle {
    ignore_changes = [schema]
  }
}

# They hold nothing, and are made anew with the next declaration.
resource "google_bigquery_table" "view" {
  for_each = var.views

  project             = var.project_id
  dataset_id          = google_bigquery_dataset.dataset[each.value.dataset].dataset_id
  table_id            = each.value.name
  description         = each.value.description
  deletion_protection = false

  view {
    query          = each.value.query
    use_legacy_sql = false
  }

  # BigQuery looks at a view's tables when it is made.
  depends_on = [google_bigquery_table.table]
}

output "dataset_id" {
  description = "Dataset of the landing tables."
  value       = google_bigquery_dataset.dataset[var.dataset_id].dataset_id
}

output "datasets" {
  description = "All datasets, by name."
  value       = { for name, dataset in google_bigquery_dataset.dataset : name => dataset.dataset_id }
}
