import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launchBrowser, openAs, visit } from './browser.ts';
import { startPortal } from './portal.ts';

/** Makes docs/images/run.png again, from a real run of the demo: `node e2e/screenshot.ts`, after a start of script/server has built the UI. */
const target = fileURLToPath(new URL('../docs/images/run.png', import.meta.url));
const portal = await startPortal({ isDemo: true });
const browser = await launchBrowser();
try {
  const { page } = await visit(browser, portal, {
    viewport: { width: 1280, height: 880 },
    deviceScaleFactor: 1.5,
    colorScheme: 'light',
    reducedMotion: 'reduce',
  });
  const inputs = JSON.stringify({
    name: 'tasting-notes',
    depends_on: ['catalogue'],
    description: 'What each roast tastes like.',
    with_database: true,
  });
  await openAs(page, `/self-serve?${new URLSearchParams({ action: 'scaffold_service', actionInputs: inputs })}`);
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
  await page.getByText('Ended: Success').waitFor();
  await page.getByRole('tab', { name: 'Affected entities (1)' }).waitFor();
  mkdirSync(new URL('../docs/images/', import.meta.url), { recursive: true });
  await page.screenshot({ path: target });
  process.stdout.write(`Wrote ${target}\n`);
} finally {
  await browser.close();
  await portal.stop();
}
