import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconBolt,
  IconBook,
  IconBox,
  IconBrandAws,
  IconBrandAzure,
  IconBrandDocker,
  IconBrandGithub,
  IconBrandGitlab,
  IconBrandSlack,
  IconCircuitSwitchOpen,
  IconCloud,
  IconCloudComputing,
  IconCube,
  IconDatabase,
  IconDeviceDesktop,
  IconFlask,
  IconGitBranch,
  IconKey,
  IconLock,
  IconPackage,
  IconPencil,
  IconPlus,
  IconRocket,
  IconScale,
  IconServer,
  IconSettings,
  IconTool,
  IconTrash,
  IconUser,
  IconUsers,
} from '@tabler/icons-react';
import type { ComponentType, ReactNode } from 'react';

type Glyph = ComponentType<{ size?: number | string; stroke?: number }>;

/** First match wins. Documents name icons freely (`Microservice`, `GitLab`, `Rollback`), so words decide, not a list. */
const glyphs: readonly (readonly [RegExp, Glyph])[] = [
  [/github/i, IconBrandGithub],
  [/gitlab/i, IconBrandGitlab],
  [/^git|branch|merge|commit/i, IconGitBranch],
  [/slack/i, IconBrandSlack],
  [/docker|container|^pod/i, IconBrandDocker],
  [/aws|amazon|^s3|lambda/i, IconBrandAws],
  [/azure/i, IconBrandAzure],
  [/rollback|undo|revert/i, IconArrowBackUp],
  [/deploy|release|rocket|ship/i, IconRocket],
  [/environment|cloud|gcp|google/i, IconCloud],
  [/cluster|k8s|kubernetes|node|compute/i, IconCloudComputing],
  [/scale|replica/i, IconScale],
  [/service|micro|component/i, IconCube],
  [/package|artifact|image|library/i, IconPackage],
  [/database|postgres|mysql|redis|storage|^db/i, IconDatabase],
  [/server|host|machine|vm/i, IconServer],
  [/team|group|users/i, IconUsers],
  [/user|owner|person/i, IconUser],
  [/secret|credential|key/i, IconKey],
  [/lock|security|permission/i, IconLock],
  [/alert|incident|warn|bug|vulnerab/i, IconAlertTriangle],
  [/delete|remove|trash|destroy/i, IconTrash],
  [/edit|update|change/i, IconPencil],
  [/create|add|new|scaffold/i, IconPlus],
  [/setting|config|gear/i, IconSettings],
  [/toggle|switch|flag|feature/i, IconCircuitSwitchOpen],
  [/test|experiment|temporary|preview/i, IconFlask],
  [/doc|book|api|page/i, IconBook],
  [/tool|wrench|fix/i, IconTool],
  [/device|desktop|app/i, IconDeviceDesktop],
  [/action|run|execute|bolt|lightning/i, IconBolt],
];

export function glyphOf(name: string | null | undefined, fallback: Glyph = IconBox): Glyph {
  if (!name) return fallback;
  return glyphs.find(([pattern]) => pattern.test(name))?.[1] ?? fallback;
}

/** The rounded tile in front of actions, blueprints and entities. Decoration only: the name stands beside it. */
export function IconTile({
  name,
  fallback,
  size = 34,
}: {
  name: string | null | undefined;
  fallback?: Glyph;
  size?: number;
}): ReactNode {
  const Shape = glyphOf(name, fallback);
  return (
    <span className="q-icon" style={{ width: size, height: size }} aria-hidden="true">
      <Shape size={Math.round(size * 0.56)} stroke={1.7} />
    </span>
  );
}
