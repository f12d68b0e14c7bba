variable "project_id" {
  description = "Id of the project."
  type        = string
}

variable "region" {
  description = "Region of jobs and queue."
  type        = string
}

variable "name" {
  description = "Begins the names of jobs and queue."
  type        = string
}

variable "dispatch" {
  description = "scheduler or planner."
  type        = string
}

variable "syncs" {
  description = "With dispatch `scheduler`: what is synced when."
  type = map(object({
    source    = string
    stream    = string
    tenant_id = string
    schedule  = string
    time_zone = string
    paused    = bool
  }))
}

variable "planner_schedule" {
  description = "How often the planner looks."
  type        = string
}

variable "load_schedule" {
  description = "How often what is landed is loaded; null: never."
  type        = string
}

variable "share_schedule" {
  description = "How often what is landed goes to customers' warehouses; null: never."
  type        = string
}

variable "builds" {
  description = "When datasets are built, and which; none named: all."
  type = map(object({
    schedule  = string
    time_zone = string
    datasets  = list(string)
  }))
}

variable "dispatches_max" {
  description = "Tasks under way at once."
  type        = number
}

variable "service_uri" {
  description = "Address of the sync service."
  type        = string
}

variable "caller_email" {
  description = "The account as which the service is called."
  type        = string
}

variable "sync_email" {
  description = "The account that fills the queue."
  type        = string
}
