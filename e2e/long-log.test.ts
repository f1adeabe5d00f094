import { type ActionBody, actionRoutes, runRoutes } from '@quayside/contracts';
import { createDatabase, type TestDatabase } from '@quayside/testkit';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { launchBrowser, openAs, type Visit, visit } from './browser.ts';
import { type Portal, startPortal } from './portal.ts';

/** A log with more lines than a browser could hold or scroll over. */
const total = 150_000;
let database: TestDatabase;
let portal: Portal;
let browser: Browser;
let visitor: Visit;
let page: Page;
let runId: string;

beforeAll(async () => {
  database = await createDatabase(inject('postgresAdminUrl'));
  [portal, browser] = await Promise.all([startPortal({ isDemo: false, databaseUrl: database.url }), launchBrowser()]);
  visitor = await visit(browser, portal);
  page = visitor.page;
  // It waits for approval, so it has not ended, and nobody else writes into its log.
  await portal.call(actionRoutes.create, {
    body: {
      identifier: 'print',
      requiredApproval: true,
      trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: {} } },
      invocationMethod: { type: 'WEBHOOK', url: 'https://example.com' },
    } as ActionBody,
  });
  const { run } = await portal.call(runRoutes.execute, {
    params: { action_identifier: 'print' },
    body: { properties: {} },
  });
  runId = run.id;
  for (let count = 0; count < total; )
    ({ count } = await portal.call(runRoutes.addLogs, {
      params: { run_id: runId },
      body: { messages: Array.from({ length: 1_000 }, (_, index) => `print ${count + index}`) },
    }));
});
afterAll(async () => {
  await visitor.close();
  await browser.close();
  await portal.stop();
  await database.drop();
  expect(visitor.complaints).toEqual([]);
});

const log = () => page.getByRole('region', { name: 'Log', exact: true });
const current = () => page.locator('.q-log-row[data-current]');

it('opens at its end, with a small part of it in the page', async () => {
  await openAs(page, `/runs/${runId}`);
  const { count } = await portal.call(runRoutes.logLines, { params: { run_id: runId }, query: { limit: 1 } });
  await log().getByLabel(`Link to line ${count}`, { exact: true }).waitFor();
  expect(await page.locator('.q-log-row').count()).toBeLessThan(200);
});

it('takes what is written while one looks on', async () => {
  await portal.call(runRoutes.addLog, { params: { run_id: runId }, body: { message: 'the very last word' } });
  await log().getByText('the very last word').waitFor();
});

it('shows the line that the address names, and names the line that is pressed', async () => {
  await page.goto(`/runs/${runId}#L123456`);
  await page.reload();
  await current().getByText('print ').waitFor();
  expect(await current().locator('.q-log-number').textContent()).toBe('123456');
  await log().getByLabel('Link to line 123458', { exact: true }).click();
  expect(new URL(page.url()).hash).toBe('#L123458');
  expect(await current().locator('.q-log-number').textContent()).toBe('123458');
});

it('is searched to its last line, and goes from one match to the next over its parts', async () => {
  await page.getByLabel('Search the log').fill('PRINT 12000');
  // 12000, and 120000 to 120009.
  await page.getByText('1 of 11', { exact: true }).waitFor();
  await current().getByText('print 12000', { exact: true }).waitFor();
  await page.getByLabel('Search the log').press('Enter');
  await page.getByText('2 of 11', { exact: true }).waitFor();
  await current().getByText('print 120000', { exact: true }).waitFor();
  await page.getByLabel('Search the log').press('Shift+Enter');
  await current().getByText('print 12000', { exact: true }).waitFor();
});

it('is read in parts by those who scroll', async () => {
  await page.getByLabel('Search the log').fill('');
  await log().evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
  await log()
    .getByRole('button', { name: /^Later: [\d,]+ lines after these$/ })
    .click();
  await log()
    .getByRole('button', { name: /^Earlier: [\d,]+ lines before these$/ })
    .waitFor({ state: 'attached' });
});

it('is downloaded as a whole', async () => {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download the log' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`${runId}.log`);
  let lines = 0;
  for await (const chunk of await download.createReadStream()) lines += String(chunk).split('\n').length - 1;
  expect(lines).toBeGreaterThan(total);
});
