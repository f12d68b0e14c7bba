# The sync service: who may call it, what it may do, and that no secret's value is anywhere.

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      email  = "account@my-project.iam.gserviceaccount.com"
      member = "serviceAccount:account@my-project.iam.gserviceaccount.com"
      name   = "projects/my-project/serviceAccounts/account@my-project.iam.gserviceaccount.com"
    }
  }
}

variables {
  project_id = "my-project"
  region     = "europe-west1"
  name       = "shop"
  image      = "europe-west1-docker.pkg.dev/my-project/shop/shop:latest"
  service = {
    cpu                   = "1"
    memory                = "1024Mi"
    concurrency           = 4
    instances_max         = 10
    timeout_seconds       = 1800
    soft_deadline_seconds = 1500
  }
  backfill = {
    tasks           = 3
    timeout_seconds = 86400
    cpu             = "1"
    memory          = "2Gi"
  }
  bucket              = "my-project-shop-landing"
  datasets            = { shop = "shop" }
  secrets             = { PARTNER_KEY = "shop-partner-key" }
  secret_versions     = {}
  readable_secrets    = ["projects/my-project/secrets/other"]
  operators           = []
  queue               = null
  deletion_protection = true
  environment         = { LEAT_LANDING = "gs://my-project-shop-landing" }
}

run "it_is_closed_to_all_but_its_caller" {
  command = apply

  module {
    source = "./modules/app"
  }

  assert {
    condition     = google_cloud_run_v2_service.sync.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    error_message = "Nobody outside of the project reaches it."
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.caller.role == "roles/run.invoker" && length(google_cloud_run_v2_service_iam_member.operators) == 0
    error_message = "The caller's account may call it, and no other."
  }
  assert {
    condition     = contains(google_cloud_run_v2_service.sync.template[0].containers[0].args, "iam")
    error_message = "The app relies on Cloud Run's check of callers."
  }
  assert {
    condition     = google_cloud_run_v2_service.sync.template[0].timeout == "1800s" && contains(google_cloud_run_v2_service.sync.template[0].containers[0].args, "1500")
    error_message = "A sync stops at a safe point before its request ends."
  }
  assert {
    condition     = length(google_service_account_iam_member.act_as_caller) == 0
    error_message = "Without a planner it needs not act as the caller."
  }
}

run "secrets_come_by_name_and_version" {
  command = apply

  module {
    source = "./modules/app"
  }

  variables {
    secret_versions = { PARTNER_KEY = "3" }
  }

  assert {
    condition = one([
      for env in google_cloud_run_v2_service.sync.template[0].containers[0].env : env.value_source[0].secret_key_ref[0].version if env.name == "PARTNER_KEY"
    ]) == "3"
    error_message = "The service reads the version that was named."
  }
  assert {
    condition     = length(google_secret_manager_secret_iam_member.sync) == 1 && length(google_secret_manager_secret_iam_member.readable) == 1
    error_message = "It may read its own secrets and those it refers to, one by one."
  }
  assert {
    condition = alltrue([
      for env in google_cloud_run_v2_job.backfill.template[0].template[0].containers[0].env : env.value == null || env.value == "" if env.name == "PARTNER_KEY"
    ])
    error_message = "No value of a secret is in a variable."
  }
}

run "secrets_that_exist_are_read_wherever_they_are" {
  command = apply

  module {
    source = "./modules/app"
  }

  variables {
    readable_secrets = ["projects/other/secrets/one", "projects/my-project/locations/europe-west1/secrets/two"]
  }

  assert {
    condition     = one(values(google_secret_manager_secret_iam_member.readable)).project == "other" && one(values(google_secret_manager_secret_iam_member.readable)).secret_id == "one"
    error_message = "Also those of another project."
  }
  assert {
    condition     = one(values(google_secret_manager_regional_secret_iam_member.readable)).location == "europe-west1" && one(values(google_secret_manager_regional_secret_iam_member.readable)).secret_id == "two"
    error_message = "Also those of one region."
  }
}

run "its_rights_end_at_its_bucket_and_datasets" {
  command = apply

  module {
    source = "./modules/app"
  }

  assert {
    condition     = google_storage_bucket_iam_member.sync.bucket == "my-project-shop-landing" && google_storage_bucket_iam_member.sync.role == "roles/storage.objectUser"
    error_message = "It reads and writes objects of its own bucket."
  }
  assert {
    condition     = google_project_iam_member.jobs.role == "roles/bigquery.jobUser"
    error_message = "Of the project it may only start jobs."
  }
}

run "a_planner_may_make_tasks_of_the_caller" {
  command = apply

  module {
    source = "./modules/app"
  }

  variables {
    queue = "projects/my-project/locations/europe-west1/queues/shop-syncs"
  }

  assert {
    condition = one([
      for env in google_cloud_run_v2_service.sync.template[0].containers[0].env : env.value if env.name == "LEAT_QUEUE"
    ]) == "cloud-tasks://projects/my-project/locations/europe-west1/queues/shop-syncs"
    error_message = "The app knows its queue."
  }
  assert {
    condition     = google_service_account_iam_member.act_as_caller[0].role == "roles/iam.serviceAccountUser"
    error_message = "It may send tasks as the caller."
  }
}

run "operators_reach_it_from_outside" {
  command = apply

  module {
    source = "./modules/app"
  }

  variables {
    operators = ["user:ada@example.com"]
  }

  assert {
    condition     = google_cloud_run_v2_service.sync.ingress == "INGRESS_TRAFFIC_ALL" && length(google_cloud_run_v2_service_iam_member.operators) == 1
    error_message = "People are outside, and are checked by IAM."
  }
  assert {
    condition     = google_cloud_run_v2_job_iam_member.operators["user:ada@example.com"].role == "roles/run.jobsExecutorWithOverrides"
    error_message = "They may start back-fills with arguments."
  }
}

run "the_job_has_as_many_tasks_as_shares" {
  command = apply

  module {
    source = "./modules/app"
  }

  assert {
    condition     = google_cloud_run_v2_job.backfill.template[0].task_count == 3 && google_cloud_run_v2_job.backfill.template[0].template[0].max_retries == 3
    error_message = "Each task has its share of the tenants, and is tried again."
  }
}
