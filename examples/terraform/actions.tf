# One action for each kind of backend. Templates in {{ }} are filled in when a run starts.

# A service in a private network: the agent calls it.
resource "port_action" "create_environment" {
  identifier  = "tf_create_environment"
  title       = "Create an environment"
  icon        = "Environment"
  description = "Asks a service behind the firewall for a new environment"
  self_service_trigger = {
    operation            = "CREATE"
    blueprint_identifier = port_blueprint.environment.identifier
    user_properties = {
      string_props = {
        name = {
          title      = "Name"
          required   = true
          min_length = 3
          pattern    = "^[a-z][a-z0-9-]*$"
        }
        region = {
          title   = "Region"
          default = "eu"
          enum    = ["eu", "us"]
        }
        reason = {
          title            = "Why not in Europe?"
          visible_jq_query = ".form.region != \"eu\""
        }
      }
      number_props = {
        days = {
          title   = "Days to live"
          default = 7
          minimum = 1
          maximum = 90
        }
      }
    }
    order_properties = ["name", "region", "reason", "days"]
  }
  webhook_method = {
    url          = "https://provisioner.internal.example/environments"
    agent        = "true"
    synchronized = "false"
    method       = "POST"
    headers = {
      RUN_ID = "{{ .run.id }}"
    }
    body = jsonencode({
      name   = "{{ .inputs.name }}"
      region = "{{ .inputs.region }}"
      days   = "{{ .inputs.days }}"
    })
  }
  required_approval           = "ANY"
  approval_email_notification = {}
}

# The catalog itself: no service is needed.
resource "port_action" "extend_environment" {
  identifier = "tf_extend_environment"
  title      = "Extend"
  icon       = "Clock"
  self_service_trigger = {
    operation            = "DAY-2"
    blueprint_identifier = port_blueprint.environment.identifier
    user_properties = {
      string_props = {
        until = {
          title    = "Until"
          format   = "date-time"
          required = true
        }
      }
    }
  }
  upsert_entity_method = {
    blueprint_identifier = port_blueprint.environment.identifier
    mapping = {
      identifier = "{{ .entity.identifier }}"
      properties = jsonencode({ expires_at = "{{ .inputs.until }}" })
    }
  }
}

# A message to the organization's topic, for a portal with Kafka.
resource "port_action" "announce" {
  identifier = "tf_announce"
  title      = "Announce a maintenance"
  icon       = "Megaphone"
  self_service_trigger = {
    operation       = "DAY-2"
    user_properties = { string_props = { text = { title = "What to say", format = "markdown" } } }
  }
  kafka_method = {
    payload = jsonencode({ text = "{{ .inputs.text }}", by = "{{ .trigger.by.user.email }}" })
  }
}

# A GitHub workflow; the secret GITHUB_TOKEN of the organization is its token.
resource "port_action" "deploy" {
  identifier = "tf_deploy"
  title      = "Deploy"
  icon       = "Github"
  self_service_trigger = {
    operation            = "DAY-2"
    blueprint_identifier = port_blueprint.environment.identifier
  }
  github_method = {
    org                    = "example"
    repo                   = "shop"
    workflow               = "deploy.yml"
    workflow_inputs        = jsonencode({ environment = "{{ .entity.identifier }}" })
    report_workflow_status = "true"
  }
}

# A GitLab pipeline, started by the agent.
resource "port_action" "test" {
  identifier = "tf_test"
  title      = "Run the tests"
  icon       = "GitLab"
  self_service_trigger = {
    operation            = "DAY-2"
    blueprint_identifier = port_blueprint.environment.identifier
  }
  gitlab_method = {
    group_name         = "example/platform"
    project_name       = "shop"
    default_ref        = "main"
    pipeline_variables = jsonencode({ ENVIRONMENT = "{{ .entity.identifier }}" })
  }
}

resource "port_action" "release" {
  identifier = "tf_release"
  title      = "Release"
  icon       = "AzureDevops"
  self_service_trigger = {
    operation            = "DAY-2"
    blueprint_identifier = port_blueprint.environment.identifier
  }
  azure_method = {
    org     = "example"
    webhook = "release"
    payload = jsonencode({ environment = "{{ .entity.identifier }}", run = "{{ .run.id }}" })
  }
}

# A GitHub workflow through an integration.
resource "port_action" "roll_back" {
  identifier = "tf_roll_back"
  title      = "Roll back"
  icon       = "Github"
  self_service_trigger = {
    operation            = "DELETE"
    blueprint_identifier = port_blueprint.environment.identifier
  }
  integration_method = {
    installation_id         = "github-example"
    integration_action_type = "dispatch_workflow"
    integration_action_execution_properties = {
      org                    = "example"
      repo                   = "shop"
      workflow               = "roll-back.yml"
      report_workflow_status = "true"
    }
  }
}
