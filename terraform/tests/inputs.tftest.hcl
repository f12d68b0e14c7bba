# What is wrong is refused before anything is made, and named.

mock_provider "google" {}

variables {
  project_id = "my-project"
  name       = "shop"
  image      = "europe-west1-docker.pkg.dev/my-project/shop/shop:latest"
}

run "a_project_is_named_by_its_id" {
  command = plan
  variables {
    project_id = "My Project"
  }
  expect_failures = [var.project_id]
}

run "a_region_and_no_multi_region" {
  command = plan
  variables {
    region = "EU"
  }
  expect_failures = [var.region]
}

run "a_name_that_service_accounts_have_room_for" {
  command = plan
  variables {
    name = "a-name-that-is-too-long-for-accounts"
  }
  expect_failures = [var.name]
}

run "an_image_with_a_registry" {
  command = plan
  variables {
    image = "shop"
  }
  expect_failures = [var.image]
}

run "a_way_to_dispatch_that_exists" {
  command = plan
  variables {
    dispatch = "cron"
  }
  expect_failures = [var.dispatch]
}

run "five_fields_of_cron" {
  command = plan
  variables {
    syncs = {
      orders = { source = "shop", stream = "orders", tenant_id = "414", schedule = "0 0 * * * *" }
    }
  }
  expect_failures = [var.syncs]
}

run "a_deadline_that_leaves_time_to_commit" {
  command = plan
  variables {
    service = { timeout_seconds = 600, soft_deadline_seconds = 590 }
  }
  expect_failures = [var.service]
}

run "a_secret_is_named_and_not_given" {
  command = plan
  variables {
    secrets = { PARTNER_KEY = "sk live/1234==" }
  }
  expect_failures = [var.secrets]
}

run "an_api_for_everybody_is_said_so" {
  command = plan
  variables {
    api_callers = ["allUsers"]
  }
  expect_failures = [var.api_callers]
}

run "the_sync_service_is_never_public" {
  command = plan
  variables {
    operators = ["allAuthenticatedUsers"]
  }
  expect_failures = [var.operators]
}

run "a_table_of_fields" {
  command = plan
  variables {
    tables = { orders = { schema = "id INT64" } }
  }
  expect_failures = [var.tables]
}
