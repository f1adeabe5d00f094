/** Where a request came from, in the words of people. Also names the sources of runs, which are three of these. */
const words: Readonly<Record<string, string>> = {
  UI: 'Portal',
  API: 'API',
  AGENT: 'Agent',
  GITHUB_ACTION: 'GitHub action',
  OCEAN: 'Integration',
  K8S_EXPORTER: 'Kubernetes exporter',
  MCP: 'MCP server',
  AUTOMATION: 'Automation',
  SYSTEM: 'System',
};

/** An origin that this page is too old to know is shown as it is. */
export function originWord(origin: string): string {
  return words[origin] ?? origin;
}
