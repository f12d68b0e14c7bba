# The examples as they are printed, from variables to outputs.

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      email  = "account@my-project.iam.gserviceaccount.com"
      member = "serviceAccount:account@my-project.iam.gserviceaccount.com"
      name   = "projects/my-project/serviceAccounts/account@my-project.iam.gserviceaccount.com"
    }
  }
  mock_resource "google_cloud_run_v2_service" {
    defaults = {
      uri = "https://shop-sync-abc-ew.a.run.app"
    }
  }
}

run "the_minimal_example" {
  command = apply

  module {
    source = "./examples/minimal"
  }

  assert {
    condition     = output.sync_url == "https://shop-sync-abc-ew.a.run.app"
    error_message = "The example says where its service is."
  }
}

run "the_complete_example" {
  command = apply

  module {
    source = "./examples/complete"
  }

  assert {
    condition     = output.api_url == "https://shop-sync-abc-ew.a.run.app"
    error_message = "The example says where its data API is."
  }
}
