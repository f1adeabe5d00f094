import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const server = process.env.QUAYSIDE_BASE_URL ?? 'http://localhost:3000';

/** Compressed once, here, and not for each visitor: the server picks the file that the browser understands. */
const compress: Plugin = {
  name: 'compress',
  writeBundle({ dir = '' }, bundle) {
    for (const file of Object.keys(bundle).filter((name) => /\.(js|css)$/.test(name))) {
      const bytes = readFileSync(join(dir, file));
      writeFileSync(join(dir, `${file}.br`), brotliCompressSync(bytes));
      writeFileSync(join(dir, `${file}.gz`), gzipSync(bytes));
    }
  },
};

export default defineConfig({
  plugins: [react(), compress],
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
