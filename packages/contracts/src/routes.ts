import { actionRoutes } from './actions.ts';
import { auditRoutes } from './audit.ts';
import { automationRoutes } from './automations.ts';
import { blueprintRoutes } from './blueprints.ts';
import { deliveryRoutes } from './deliveries.ts';
import { dispatchRoutes } from './dispatch.ts';
import { entityRoutes } from './entities.ts';
import { identityRoutes } from './identity.ts';
import { kafkaRoutes } from './kafka.ts';
import { peopleRoutes } from './people.ts';
import { permissionRoutes } from './permissions.ts';
import type { Route } from './route.ts';
import { runRoutes } from './runs.ts';
import { secretRoutes } from './secrets.ts';
import { systemRoutes } from './system.ts';
import { workflowRoutes } from './workflows.ts';

/** The whole route table. The server refuses to boot when what it serves and this differ. */
export const routes: readonly Route[] = [
  systemRoutes,
  identityRoutes,
  peopleRoutes,
  secretRoutes,
  blueprintRoutes,
  entityRoutes,
  actionRoutes,
  permissionRoutes,
  workflowRoutes,
  automationRoutes,
  runRoutes,
  dispatchRoutes,
  deliveryRoutes,
  kafkaRoutes,
  auditRoutes,
].flatMap((group) => Object.values(group) as unknown as Route[]);
