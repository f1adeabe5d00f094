/**
 * The two parts of undici that deliveries need. The package's main file also loads fetch, caches and web sockets, which
 * costs 13 MB of memory and 50 ms of start that the agent can do without. The version is pinned exactly.
 */
declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici';
}
declare module 'undici/lib/core/connect.js' {
  export { buildConnector as default } from 'undici';
}
