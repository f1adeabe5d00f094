import {
  IconActivity,
  IconBolt,
  IconBox,
  IconChecklist,
  IconHistory,
  IconHourglass,
  IconKey,
  IconLock,
  IconPlayerPlay,
  IconRobot,
  IconRoute,
  IconRouteAltLeft,
  IconSend,
  IconShieldCheck,
  IconUsers,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useOwnBlueprints } from '../features/blueprints/index.ts';
import { awaitingCountQuery } from '../features/runs/index.ts';
import { useMay, useMe } from '../features/session/index.ts';
import { glyphOf } from '../ui/icon.tsx';

/** The sidebar. What a role may not open is not offered; the server refuses it in any case. */
export function Navigation({ onNavigate }: { onNavigate: () => void }): ReactNode {
  const { data: blueprints = [] } = useOwnBlueprints();
  const { data: awaiting = 0 } = useQuery(awaitingCountQuery);
  const maySeeAgents = useMay('agent:read');
  const isAdmin = useMe().user.roles.some((role) => role.name === 'Admin');
  const mayManage = useMay('credential:manage');
  const maySecrets = useMay('secret:manage');
  const mayPeople = useMay('user:manage');
  return (
    <nav aria-label="Main">
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the links inside are what is used; this only closes the drawer after them */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: as above */}
      <div className="q-nav" onClick={onNavigate}>
        <Link to="/self-serve">
          <IconBolt size={18} aria-hidden="true" />
          <span>Self-service</span>
        </Link>
        <Link to="/runs" activeOptions={{ includeSearch: true, exact: true }}>
          <IconPlayerPlay size={18} aria-hidden="true" />
          <span>Runs</span>
        </Link>
        <Link to="/approvals">
          <IconChecklist size={18} aria-hidden="true" />
          <span>Approvals</span>
          {awaiting > 0 && (
            <>
              {' '}
              <span className="q-badge">{awaiting > 99 ? '99+' : awaiting}</span>
            </>
          )}
        </Link>
        <p className="q-nav-title">Catalog</p>
        {blueprints.map((blueprint) => {
          const Glyph = glyphOf(blueprint.icon ?? blueprint.identifier);
          return (
            <Link key={blueprint.identifier} to="/catalog/$blueprint" params={{ blueprint: blueprint.identifier }}>
              <Glyph size={18} />
              <span>{blueprint.title}</span>
            </Link>
          );
        })}
        <Link to="/catalog" activeOptions={{ exact: true }}>
          <IconBox size={18} aria-hidden="true" />
          <span>All blueprints</span>
        </Link>
        <p className="q-nav-title">Operate</p>
        {maySeeAgents && (
          <Link to="/agents">
            <IconRobot size={18} aria-hidden="true" />
            <span>Agents</span>
          </Link>
        )}
        <Link to="/deliveries" activeOptions={{ includeSearch: false }}>
          <IconSend size={18} aria-hidden="true" />
          <span>Deliveries</span>
        </Link>
        {isAdmin && (
          <Link to="/settings/automations">
            <IconRouteAltLeft size={18} aria-hidden="true" />
            <span>Automations</span>
          </Link>
        )}
        {mayManage && (
          <Link to="/settings/credentials">
            <IconKey size={18} aria-hidden="true" />
            <span>Credentials</span>
          </Link>
        )}
        {maySecrets && (
          <Link to="/settings/secrets">
            <IconLock size={18} aria-hidden="true" />
            <span>Secrets</span>
          </Link>
        )}
        {mayPeople && (
          <Link to="/settings/people">
            <IconUsers size={18} aria-hidden="true" />
            <span>People</span>
          </Link>
        )}
        {isAdmin && (
          <Link to="/settings/guardrails">
            <IconShieldCheck size={18} aria-hidden="true" />
            <span>Guardrails</span>
          </Link>
        )}
        {isAdmin && (
          <Link to="/operations">
            <IconActivity size={18} aria-hidden="true" />
            <span>Operations</span>
          </Link>
        )}
        {isAdmin && (
          <Link to="/settings/retention">
            <IconHourglass size={18} aria-hidden="true" />
            <span>Retention</span>
          </Link>
        )}
        {isAdmin && (
          <Link to="/audit">
            <IconHistory size={18} aria-hidden="true" />
            <span>Audit log</span>
          </Link>
        )}
        <Link to="/get-started">
          <IconRoute size={18} aria-hidden="true" />
          <span>Get started</span>
        </Link>
      </div>
    </nav>
  );
}
