# Bucket and tables: private, kept, and left to leat where they are its own.

mock_provider "google" {}

run "the_bucket_is_private_and_kept" {
  command = apply

  module {
    source = "./modules/storage"
  }

  variables {
    project_id          = "my-project"
    region              = "europe-west1"
    bucket              = "my-project-shop-landing"
    landing_days        = 90
    deletion_protection = true
  }

  assert {
    condition     = google_storage_bucket.landing.public_access_prevention == "enforced" && google_storage_bucket.landing.uniform_bucket_level_access
    error_message = "Nobody can make an object public."
  }
  assert {
    condition     = google_storage_bucket.landing.force_destroy == false
    error_message = "A bucket that holds something is not deleted."
  }
  assert {
    condition = alltrue([
      for rule in google_storage_bucket.landing.lifecycle_rule :
      one(rule.action).type == "SetStorageClass" || toset(one(rule.condition).matches_prefix) == toset(["leat-stage/"])
    ])
    error_message = "Nothing but copies is deleted by age: the log is the state."
  }
}

run "datasets_and_tables" {
  command = apply

  module {
    source = "./modules/warehouse"
  }

  variables {
    project_id    = "my-project"
    region        = "europe-west1"
    dataset_id    = "shop"
    view_datasets = ["old-shop"]
    tables = {
      orders = {
        schema            = "[{\"name\":\"id\",\"type\":\"INTEGER\"}]"
        partition_column  = "_leat_extracted_at"
        clustering        = ["id"]
        delete_protection = true
      }
    }
    views = {
      "old_shop.orders" = {
        dataset = "old_shop"
        name    = "orders"
        query   = "SELECT 1"
      }
    }
    deletion_protection = true
  }

  assert {
    condition     = google_bigquery_table.view["old_shop.orders"].dataset_id == "old_shop" && !google_bigquery_table.view["old_shop.orders"].view[0].use_legacy_sql
    error_message = "Views stand in the dataset of their source."
  }
  assert {
    condition     = toset(values(output.datasets)) == toset(["shop", "old_shop"])
    error_message = "One of tables, and one of views for each source, by names that BigQuery takes."
  }
  assert {
    condition     = google_bigquery_table.table["orders"].time_partitioning[0].type == "DAY" && google_bigquery_table.table["orders"].deletion_protection
    error_message = "Tables are partitioned and kept."
  }
  assert {
    condition     = google_bigquery_dataset.dataset["shop"].delete_contents_on_destroy == false
    error_message = "A dataset that holds tables is not deleted."
  }
}

run "a_teardown_is_possible_when_it_is_said" {
  command = apply

  module {
    source = "./modules/storage"
  }

  variables {
    project_id          = "my-project"
    region              = "europe-west1"
    bucket              = "my-project-shop-landing"
    landing_days        = 0
    deletion_protection = false
  }

  assert {
    condition     = google_storage_bucket.landing.force_destroy && length(google_storage_bucket.landing.lifecycle_rule) == 1
    error_message = "Without protection it goes with the rest."
  }
}
