# `leat deploy` writes the values of most of these into terraform.tfvars.json. No value of a secret belongs here: Terraform
# keeps what it is given in its state.

variable "project_id" {
  description = "Id of the project on Google Cloud. It exists, and is billed."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "Write the project's id, such as my-project, not its name or number."
  }
}

variable "region" {
  description = "Region of everything: services, bucket and tables. BigQuery loads from buckets of its own region only."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]{1,2}$", var.region))
    error_message = "Write a region such as europe-west1; a multi-region such as EU has no Cloud Run."
  }
}

variable "name" {
  description = "Begins the name of every resource."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "Use 3 to 20 small letters, digits and hyphens, beginning with a letter: names of service accounts have no room for more."
  }
}

variable "image" {
  description = "The container image, best by digest: a tag that moves is not deployed again by itself."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+(/[a-z0-9._-]+)+(:[A-Za-z0-9._-]{1,128})?(@sha256:[0-9a-f]{64})?$", var.image))
    error_message = "Write an image such as europe-west1-docker.pkg.dev/my-project/shop/shop@sha256:...."
  }
}

variable "dispatch" {
  description = "scheduler: a job of Cloud Scheduler for each of `syncs`. planner: one job, which puts what is due into a queue of Cloud Tasks."
  type        = string
  default     = "scheduler"

  validation {
    condition     = contains(["scheduler", "planner"], var.dispatch)
    error_message = "Use scheduler or planner."
  }
}

variable "syncs" {
  description = "With dispatch `scheduler`: one stream of one tenant each, and when it is synced. The keys name the jobs."
  type = map(object({
    source    = string
    stream    = string
    tenant_id = string
    schedule  = string
    time_zone = optional(string, "Etc/UTC")
    paused    = optional(bool, false)
  }))
  default = {}

  validation {
    condition     = alltrue([for key in keys(var.syncs) : can(regex("^[A-Za-z0-9_-]{1,400}$", key))])
    error_message = "Keys of syncs may hold letters, digits, - and _."
  }
  validation {
    condition     = alltrue([for sync in values(var.syncs) : length(split(" ", trimspace(sync.schedule))) == 5])
    error_message = "Cloud Scheduler knows five fields of cron: minute, hour, day, month, weekday."
  }
  validation {
    condition     = length(var.syncs) <= 1000
    error_message = "A region has 1,000 jobs of Cloud Scheduler unless Google grants more. Use dispatch = \"planner\"."
  }
}

variable "planner_schedule" {
  description = "How often the planner looks for what is due. Syncs begin so much later than their schedule says, at most."
  type        = string
  default     = "*/5 * * * *"
}

variable "load_schedule" {
  description = "How often what is landed is loaded. BigQuery takes 1,500 changes of a table a day; every 15 minutes are 96 loads."
  type        = string
  default     = "*/15 * * * *"

  validation {
    condition     = length(split(" ", trimspace(var.load_schedule))) == 5
    error_message = "Cloud Scheduler knows five fields of cron."
  }
}

variable "share_schedule" {
  description = "How often what is landed goes to customers' warehouses; null: the project has no shares."
  type        = string
  default     = null

  validation {
    condition     = var.share_schedule == null ? true : length(split(" ", trimspace(var.share_schedule))) == 5
    error_message = "Cloud Scheduler knows five fields of cron."
  }
}

variable "builds" {
  description = "When datasets are built, and which; none named: all. The keys name the jobs."
  type = map(object({
    schedule  = string
    time_zone = optional(string, "Etc/UTC")
    datasets  = optional(list(string), [])
  }))
  default = {}

  validation {
    condition     = alltrue([for key in keys(var.builds) : can(regex("^[A-Za-z0-9_-]{1,400}$", key))])
    error_message = "Keys of builds may hold letters, digits, - and _."
  }
  validation {
    condition     = alltrue([for build in values(var.builds) : length(split(" ", trimspace(build.schedule))) == 5])
    error_message = "Cloud Scheduler knows five fields of cron."
  }
}

variable "dispatches_max" {
  description = "With dispatch `planner`: tasks under way at once. The partner's limit, not ours."
  type        = number
  default     = 10

  validation {
    condition     = var.dispatches_max >= 1 && var.dispatches_max <= 5000
    error_message = "Use 1 to 5000."
  }
}

variable "sources" {
  description = "Names of the project's sources, and schemas of its datasets other than main: each has a BigQuery dataset of views."
  type        = list(string)
  default     = []
}

variable "tables" {
  description = "Landing tables that must exist before their first load, such as those of `transfers`; leat makes all others itself. Keys are their names. Fields are leat's own to add."
  type = map(object({
    schema            = string
    partition_column  = optional(string)
    clustering        = optional(list(string), [])
    delete_protection = optional(bool, true)
  }))
  default = {}

  validation {
    condition     = alltrue([for table in values(var.tables) : can(jsondecode(table.schema))])
    error_message = "The schema of a table is JSON: a list of fields."
  }
  validation {
    condition     = alltrue([for table in values(var.tables) : length(table.clustering) <= 4])
    error_message = "BigQuery clusters by at most four columns."
  }
}

variable "views" {
  description = "Views on `tables`: keys name them, `dataset` is one of `sources`. leat makes those of tables that it loads itself."
  type = map(object({
    dataset     = string
    name        = string
    query       = string
    description = optional(string, "")
  }))
  default = {}

  validation {
    condition     = alltrue([for view in values(var.views) : can(regex("^[A-Za-z0-9_]+$", view.dataset))])
    error_message = "dataset is the name of a BigQuery dataset: letters, digits and underscores."
  }
}

variable "transfers" {
  description = "Google's own Data Transfer Service in place of leat's load, by landing table: objects that it reads. With any of them leat loads nothing. It loads a file again when the file was touched, and fails when fields change; leat's load does neither."
  type = map(object({
    objects         = string
    schedule        = optional(string, "every 15 minutes")
    bad_records_max = optional(number, 0)
  }))
  default = {}

  validation {
    condition     = alltrue([for transfer in values(var.transfers) : startswith(transfer.objects, "gs://")])
    error_message = "objects is an address such as gs://bucket/landing/shop/orders/*.ndjson.gz."
  }
}

variable "secrets" {
  description = "Secrets that are made, without a value: variable of the service => name in Secret Manager. Values are added by hand: gcloud secrets versions add NAME --data-file=-"
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for variable in keys(var.secrets) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", variable))])
    error_message = "The keys of secrets are names of variables."
  }
  validation {
    condition     = alltrue([for id in values(var.secrets) : can(regex("^[A-Za-z0-9_-]{1,255}$", id))])
    error_message = "The values of secrets are names in Secret Manager, not the secrets themselves."
  }
}

variable "secret_versions" {
  description = "Versions of `secrets` that a new instance reads, by variable; others have `latest`. A number does not change under a running service."
  type        = map(string)
  default     = {}
}

variable "readable_secrets" {
  description = "Secrets that exist already and that the project refers to as gcp-secret:, as projects/.../secrets/...."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for secret in var.readable_secrets : can(regex("^projects/[^/]+(/locations/[^/]+)?/secrets/[A-Za-z0-9_-]+$", secret))])
    error_message = "Write a secret as projects/my-project/secrets/partner-key, without a version."
  }
}

variable "landing_url" {
  description = "Where raw files and the log are kept; null: the bucket that is made here."
  type        = string
  default     = null
}

variable "warehouse_url" {
  description = "Where tables are loaded; null: the BigQuery dataset that is made here."
  type        = string
  default     = null
}

variable "landing_days" {
  description = "Days after which landed files move to a cheaper class; 0: never. They are never deleted by age: the log is the state."
  type        = number
  default     = 90

  validation {
    condition     = var.landing_days >= 0 && floor(var.landing_days) == var.landing_days
    error_message = "Use a whole number of days."
  }
}

variable "service" {
  description = "Size of the sync service."
  type = object({
    cpu                   = optional(string, "1")
    memory                = optional(string, "1024Mi")
    concurrency           = optional(number, 4)
    instances_max         = optional(number, 10)
    timeout_seconds       = optional(number, 1800)
    soft_deadline_seconds = optional(number, 1500)
  })
  default = {}

  validation {
    condition     = contains(["1", "2", "4", "8"], var.service.cpu)
    error_message = "cpu is \"1\", \"2\", \"4\" or \"8\"."
  }
  validation {
    condition     = can(regex("^[0-9]+(Mi|Gi)$", var.service.memory))
    error_message = "memory is such as 1024Mi or 2Gi."
  }
  validation {
    # Cloud Scheduler and Cloud Tasks wait for half an hour at most.
    condition     = var.service.timeout_seconds <= 1800 && var.service.soft_deadline_seconds <= var.service.timeout_seconds - 60
    error_message = "timeout_seconds is at most 1800, and soft_deadline_seconds a minute less, for the page at hand and its commit."
  }
}

variable "backfill" {
  description = "The job for what takes longer than half an hour: shares of the tenants, each a task."
  type = object({
    tasks           = optional(number, 1)
    timeout_seconds = optional(number, 86400)
    cpu             = optional(string, "1")
    memory          = optional(string, "2Gi")
  })
  default = {}

  validation {
    condition     = var.backfill.tasks >= 1 && var.backfill.tasks <= 10000 && var.backfill.timeout_seconds <= 604800
    error_message = "A job has 1 to 10,000 tasks of at most 168 hours."
  }
}

variable "serve_api" {
  description = "Whether datasets are served by a service of their own."
  type        = bool
  default     = false
}

variable "api_is_public" {
  description = "Whether everybody may call the data API. Otherwise `api_callers` may."
  type        = bool
  default     = false
}

variable "api_callers" {
  description = "Who may call the data API, as members of IAM: user:ada@example.com, group:..., serviceAccount:...."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.api_callers : !contains(["allUsers", "allAuthenticatedUsers"], member)])
    error_message = "For everybody, set api_is_public."
  }
}

variable "operators" {
  description = "Who may start back-fills and call the sync service by hand, as members of IAM."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.operators : !contains(["allUsers", "allAuthenticatedUsers"], member)])
    error_message = "The sync service is never public."
  }
}

variable "alert_email" {
  description = "Who is told of failures; null: nobody, alerts are seen in the console alone."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether services, datasets and the bucket refuse to be deleted with the rest. Tear down by setting it to false, applying, and destroying."
  type        = bool
  default     = true
}
