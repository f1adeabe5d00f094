import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const server = process.env.QUAYSIDE_BASE_URL ?? 'http://localhost:3000';

export default defineConfig({
  plugins: [react()],
  // The licence notes of libraries stay in the files that need them; nothing is inlined, so a strict CSP holds.
  // Browsers that know light-dark(): what a compiler makes of it for older ones loses the colours of nested schemes.
  build: {
    target: 'es2023',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/v1': { target: server, changeOrigin: true } } },
});
