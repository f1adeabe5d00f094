terraform {
  required_providers {
    port = {
      source = "port-labs/port-labs"
    }
  }
}

# Without base_url the provider talks to Port's own cloud. The credential is one of the portal's credential sets; give it as
# TF_VAR_client_id and TF_VAR_client_secret, so that it is in no file.
provider "port" {
  base_url  = var.portal_url
  client_id = var.client_id
  secret    = var.client_secret
}

variable "portal_url" {
  type        = string
  description = "The portal, without /v1"
  default     = "http://localhost:3000"
}

variable "client_id" {
  type = string
}

variable "client_secret" {
  type      = string
  sensitive = true
}
