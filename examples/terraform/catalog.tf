# What the actions work on.
resource "port_blueprint" "environment" {
  identifier = "tf_environment"
  title      = "Environment"
  icon       = "Environment"
  properties = {
    string_props = {
      region = {
        title = "Region"
        enum  = ["eu", "us"]
        enum_colors = {
          eu = "blue"
          us = "green"
        }
      }
      expires_at = {
        title  = "Expires"
        format = "timer"
      }
    }
  }
}

resource "port_entity" "staging" {
  blueprint  = port_blueprint.environment.identifier
  identifier = "staging"
  title      = "Staging"
  properties = {
    string_props = {
      region     = "eu"
      expires_at = null
    }
  }
}

resource "port_team" "platform" {
  name        = "Platform (Terraform)"
  description = "Looks after the environments"
}
