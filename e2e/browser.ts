import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { testOrganization } from '@quayside/testkit';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Person, Portal } from './portal.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const advice =
  'Install it (Debian and Ubuntu, as root: apt-get install chromium), or set QUAYSIDE_CHROMIUM to its path.';

function findChromium(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = process.env.QUAYSIDE_CHROMIUM
    ? [process.env.QUAYSIDE_CHROMIUM]
    : names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = candidates.find(isProgram);
  if (!found) throw new Error(`Chromium is missing. ${advice}`);
  return found;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    headless: true,
    // In a container there is no sandbox to be had; what is opened here is our own. The rest keeps Chromium off the network.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface Visit {
  page: Page;
  /** What the page complained about: uncaught errors, errors in the console, breaches of the content security policy. */
  complaints: string[];
  close(): Promise<void>;
}

export async function visit(browser: Browser, portal: Portal, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: portal.url,
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    ...options,
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A refusal that the page expects (no session yet, a wrong password, a role that may not) is an answer; Chromium reports it all the same.
    if (message.type() === 'error' && !/status of (401|403|404|422)/.test(message.text()))
      complaints.push(message.text());
  });
  return { page, complaints, close: () => context.close() };
}

export async function signIn(page: Page, password: string = testOrganization.adminPassword): Promise<void> {
  await page.getByLabel('E-mail').fill(testOrganization.adminEmail);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const administrator: Person = { email: testOrganization.adminEmail, password: testOrganization.adminPassword };

/** Where a test is not about the login: straight to the page, with a session. */
export async function openAs(page: Page, path: string, person: Person = administrator): Promise<void> {
  await page.request.post('/v1/auth/login', { data: { email: person.email, password: person.password } });
  await page.goto(path);
}
