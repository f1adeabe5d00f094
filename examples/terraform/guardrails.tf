# Who may create an environment, and who approves it.
resource "port_action_permissions" "create_environment" {
  action_identifier = port_action.create_environment.identifier
  permissions = {
    execute = {
      roles         = ["Member"]
      users         = []
      teams         = []
      owned_by_team = false
      # No second environment of the same name.
      policy = jsonencode({
        queries = {
          existing = {
            combinator = "and"
            rules = [
              { property = "$blueprint", operator = "=", value = port_blueprint.environment.identifier },
              { property = "$identifier", operator = "=", value = "{{ .inputs.name }}" },
            ]
          }
        }
        conditions = [".results.existing.entities | length == 0"]
      })
    }
    approve = {
      roles = ["Admin"]
      users = []
      teams = [port_team.platform.name]
    }
  }
}

# An environment that has expired is reported.
resource "port_action" "environment_expired" {
  identifier = "tf_environment_expired"
  title      = "Report an expired environment"
  icon       = "Clock"
  automation_trigger = {
    timer_property_expired_event = {
      blueprint_identifier = port_blueprint.environment.identifier
      property_identifier  = "expires_at"
    }
  }
  webhook_method = {
    url    = "https://provisioner.internal.example/expired"
    agent  = "true"
    method = "POST"
    body   = jsonencode({ environment = "{{ .event.context.entityIdentifier }}" })
  }
  publish = true
}

# A change of region is told to the same service.
resource "port_action" "region_changed" {
  identifier = "tf_region_changed"
  title      = "Report a change of region"
  icon       = "Environment"
  automation_trigger = {
    entity_updated_event = {
      blueprint_identifier = port_blueprint.environment.identifier
    }
    jq_condition = {
      combinator  = "and"
      expressions = [".diff.before.properties.region != .diff.after.properties.region"]
    }
  }
  webhook_method = {
    url    = "https://provisioner.internal.example/moved"
    agent  = "true"
    method = "POST"
    body   = jsonencode({ environment = "{{ .event.context.entityIdentifier }}" })
  }
  publish = false
}
