import {
  IconBrandBitbucket,
  IconBrandGithub,
  IconBrandGitlab,
  IconBrandSlack,
  IconExternalLink,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';

const hosts = [
  [/(^|\.)github\./, IconBrandGithub],
  [/gitlab/, IconBrandGitlab],
  [/bitbucket/, IconBrandBitbucket],
  [/slack/, IconBrandSlack],
] as const;

/** A link that a run or entity carries. Only http(s) becomes a link: a reporter could send `javascript:`. */
export function HostLink({ url }: { url: string }): ReactNode {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) return <span className="q-wrap">{url}</span>;
  const Glyph = hosts.find(([pattern]) => pattern.test(parsed.hostname))?.[1] ?? IconExternalLink;
  const path = parsed.pathname === '/' ? '' : parsed.pathname;
  return (
    <a href={parsed.href} target="_blank" rel="noreferrer" className="q-host-link">
      <Glyph size={15} aria-hidden="true" />
      <span className="q-wrap">
        {parsed.host}
        {path}
      </span>
    </a>
  );
}
