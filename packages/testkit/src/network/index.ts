export { type Authority, type Certificate, createAuthority } from './certificates.ts';
export { startHttpProxy, startSocksProxy, type TestProxy } from './proxies.ts';
