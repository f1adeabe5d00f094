import { createDatabase, type TestDatabase } from '@quayside/testkit';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest';
import { launchBrowser, type Visit, visit } from './browser.ts';
import { type Portal, startPortal } from './portal.ts';

export interface Stage {
  portal: Portal;
  browser: Browser;
  /** A new one for each test. It must end without an error in its console. */
  page: Page;
}

/** One portal and one browser for the tests of a file; `prepare` fills the portal before the first. */
export function onStage(
  options: { isDemo: boolean; environment?: Record<string, string> },
  set: (stage: Stage) => void,
  prepare: (portal: Portal) => Promise<void> = async () => {},
): void {
  let database: TestDatabase;
  let portal: Portal;
  let browser: Browser;
  let visitor: Visit;
  beforeAll(async () => {
    database = await createDatabase(inject('postgresAdminUrl'));
    [portal, browser] = await Promise.all([startPortal({ ...options, databaseUrl: database.url }), launchBrowser()]);
    await prepare(portal);
  });
  afterAll(async () => {
    await browser.close();
    await portal.stop();
    await database.drop();
  });
  beforeEach(async () => {
    visitor = await visit(browser, portal);
    set({ portal, browser, page: visitor.page });
  });
  afterEach(async () => {
    await visitor.close();
    expect(visitor.complaints).toEqual([]);
  });
}
