variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "region" {
  description = "Region of the service."
  type        = string
}

variable "name" {
  description = "Begins the names of service, job and accounts."
  type        = string
}

variable "image" {
  description = "The container image."
  type        = string
}

variable "service" {
  description = "Size of the service."
  type = object({
    cpu                   = string
    memory                = string
    concurrency           = number
    instances_max         = number
    timeout_seconds       = number
    soft_deadline_seconds = number
  })
}

variable "backfill" {
  description = "Size of the job."
  type = object({
    tasks           = number
    timeout_seconds = number
    cpu             = string
    memory          = string
  })
}

variable "bucket" {
  description = "The landing."
  type        = string
}

variable "datasets" {
  description = "Datasets that it writes to, by name."
  type        = map(string)
}

variable "secrets" {
  description = "Variable => name of the secret."
  type        = map(string)
}

variable "secret_versions" {
  description = "Variable => version; others have `latest`."
  type        = map(string)
}

variable "readable_secrets" {
  description = "Other secrets that it reads, as projects/.../secrets/...."
  type        = list(string)
}

variable "operators" {
  description = "Who may call the service by hand and start the job."
  type        = list(string)
}

variable "queue" {
  description = "Full name of the queue that the planner fills; null: there is no planner."
  type        = string
}

variable "deletion_protection" {
  description = "Whether service and job refuse to be deleted."
  type        = bool
}

variable "environment" {
  description = "Variables of service and job, none of them secret."
  type        = map(string)
}
