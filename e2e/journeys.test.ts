import { identityRoutes, runRoutes } from '@quayside/contracts';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openAs, signIn } from './browser.ts';
import type { Portal } from './portal.ts';
import { onStage } from './stage.ts';

/** What a person does with the demo company, in a real browser. Waits are for conditions on the page, never for time. */
let portal: Portal;
let page: Page;
onStage({ isDemo: true }, (stage) => ({ portal, page } = stage));

const dialog = () => page.getByRole('dialog');
const status = (name: string) => page.getByRole('heading', { level: 1 }).getByText(name);
const logText = () => page.getByRole('region', { name: 'Log', exact: true });
const focused = (locator: Locator) => locator.and(page.locator(':focus'));
const runIdOf = (url: string): string => /\/runs\/(r_\w+)/.exec(url)?.[1] ?? '';

/** Through the API: where a test needs a run and the form is not its matter. */
async function startRun(name: string): Promise<string> {
  const { run } = await portal.call(runRoutes.execute, {
    params: { action_identifier: 'scaffold_service' },
    body: { properties: { name, language: 'Go', tier: 'critical' } },
  });
  return run.id;
}

describe('a session', () => {
  it('is refused with a wrong password, and leads to where one wanted to go with the right one', async () => {
    await page.goto('/catalog/service/checkout');
    await page.getByRole('heading', { name: 'Sign in to Quayside' }).waitFor();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Enter your e-mail address').waitFor();
    await signIn(page, 'not the password');
    await page.getByRole('alert').getByText('E-mail or password is not right').waitFor();
    await signIn(page);
    await page.getByRole('heading', { name: 'Checkout' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/catalog/service/checkout');
  });

  it('ends with the sign-out, also for the address bar', async () => {
    await openAs(page, '/');
    await page.getByRole('heading', { name: 'Self-service' }).waitFor();
    await page.getByRole('button', { name: /account of/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to Quayside' }).waitFor();
    await page.goto('/runs');
    await page.getByRole('heading', { name: 'Sign in to Quayside' }).waitFor();
  });

  it('that ended elsewhere asks for the password and comes back to the page', async () => {
    await openAs(page, '/self-serve');
    await page.getByRole('heading', { name: 'Self-service' }).waitFor();
    const answer = await page.request.post(identityRoutes.logout.path, { data: {} });
    expect(answer.ok()).toBe(true);
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await page.getByRole('heading', { name: 'Sign in to Quayside' }).waitFor();
    await signIn(page);
    await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
  });
});

describe('the form', () => {
  it('says beside each field what is wrong, and starts no run before it is mended', async () => {
    await openAs(page, '/self-serve');
    await page.getByLabel('Search actions').fill('scaffold');
    await page.getByRole('link', { name: 'Create: Scaffold a service' }).click();
    const name = dialog().getByLabel('Name');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog().getByText('Fill in Name').or(dialog().getByText('Name is required')).waitFor();
    await name.fill('Not A Name');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog().getByText('must match the pattern').waitFor();
    expect(await name.getAttribute('aria-invalid')).toBe('true');
    await focused(name).waitFor();
    await name.fill('mended');
    await dialog().getByText('must match the pattern').waitFor({ state: 'detached' });
    expect((await portal.call(runRoutes.list, { query: { version: 'v2' } })).runs).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
  });

  it('takes texts, choices, numbers, dates, switches and entities', async () => {
    await openAs(page, '/self-serve?action=provision_environment');
    await dialog().getByLabel('Name').fill('branch-42');
    await dialog().getByRole('combobox', { name: 'Service' }).fill('check');
    await page.getByRole('option', { name: /Checkout/ }).click();
    await dialog().getByLabel('Hours to live').fill('100');
    await dialog().getByLabel('Start at').fill('2030-01-02T03:04');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog()
      .getByText(/Hours to live must be/)
      .waitFor();
    await dialog().getByLabel('Hours to live').fill('3');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await page.waitForURL(/\/runs\/r_/);
    const { run } = await portal.call(runRoutes.get, {
      params: { run_id: runIdOf(page.url()) },
      query: { version: 'v2' },
    });
    expect(run.rawProperties).toEqual({
      name: 'branch-42',
      service: 'checkout',
      hours: 3,
      not_before: new Date('2030-01-02T03:04').toISOString(),
    });
  });
});

describe('a run', () => {
  it('is watched from the button to the new entity, and run again', async () => {
    await page.goto('/');
    await signIn(page);
    await page.getByRole('link', { name: 'Create: Scaffold a service' }).click();
    await dialog().getByLabel('Name').fill('tasting-notes');
    await dialog().getByRole('combobox', { name: 'Language' }).click();
    await page.getByRole('option', { name: 'Rust' }).click();
    await dialog().getByRole('combobox', { name: 'Depends on' }).fill('catalogue');
    await page.getByRole('option', { name: /Product catalogue/ }).click();
    await dialog().getByLabel('What is it for?').fill('What each roast tastes like.');
    await dialog().getByRole('switch', { name: 'With a database' }).click();
    await dialog().getByRole('button', { name: 'Create' }).click();

    // The log grows while one looks: a line of the agent, then of the service, then the end, without a reload.
    await logText().getByText('Received by the agent').waitFor();
    await logText().getByText('Created the repository').waitFor();
    await status('Success').waitFor();
    await logText().getByText('Created the database tasting_notes').waitFor();
    await page.getByText(/Claimed by agent/).waitFor();
    await page.getByText('Ended: Success').waitFor();
    await page.getByRole('link', { name: 'git.harbour.example/tasting-notes' }).waitFor();
    const inputs = page.getByRole('region', { name: 'Inputs' });
    await inputs.getByText('What each roast tastes like.').waitFor();
    await page.getByRole('tab', { name: 'Affected entities (1)' }).click();
    await page.getByRole('tabpanel').getByText('Created').waitFor();
    await page.getByRole('tabpanel').getByRole('button', { name: 'Details of tasting-notes' }).click();
    await page.getByRole('insertion').getByText('"language": "Rust"').waitFor();
    const runId = runIdOf(page.url());

    await page.getByRole('tabpanel').getByRole('link', { name: 'Tasting notes' }).click();
    await page.getByRole('heading', { name: 'Tasting notes' }).waitFor();
    const origin = page.getByText(/^Created .* by run/);
    await origin.getByRole('link', { name: runId }).click();

    await status('Success').waitFor();
    await page.getByRole('button', { name: 'Re-run' }).click();
    await expect.poll(() => dialog().getByLabel('Name').inputValue()).toBe('tasting-notes');
    expect(await dialog().getByRole('combobox', { name: 'Language' }).inputValue()).toBe('Rust');
    await dialog().getByText('Product catalogue').waitFor();
    await dialog().getByLabel('Name').fill('tasting-notes-2');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await expect.poll(() => runIdOf(page.url())).not.toBe(runId);
    await status('Success').waitFor();

    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs' }).click();
    await page
      .getByRole('row', { name: /Scaffold a service Success/ })
      .nth(1)
      .waitFor();
  });

  it('keeps its log over a reload: each line once, in order', async () => {
    const runId = await startRun('reloaded');
    await openAs(page, `/runs/${runId}`);
    await logText().getByText('wants a Go service').waitFor();
    await page.reload();
    await status('Success').waitFor();
    const { runLogs } = await portal.call(runRoutes.listLogs, { params: { run_id: runId } });
    await expect
      .poll(() => logText().locator('.q-log-text').allTextContents())
      .toEqual(runLogs.map((line) => line.message));
  });

  it('whose service gives up shows why', async () => {
    const runId = await startRun('fail-here');
    await openAs(page, `/runs/${runId}`);
    await status('Failure').waitFor();
    await page
      .getByRole('region', { name: 'Why it failed' })
      .getByText(/taken in the container registry/)
      .waitFor();
    await page.getByText('Ended: Failure').waitFor();
  });

  it('that is not there says so', async () => {
    await openAs(page, '/runs/r_0000000000000000');
    await page.getByRole('heading', { name: 'There is no such run' }).waitFor();
    await page.getByRole('link', { name: 'All runs' }).click();
    await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
  });
});

describe('the keyboard alone', () => {
  it('finds an action, fills its form, executes it and reads the log', async () => {
    await openAs(page, '/');
    await page.getByRole('heading', { name: 'Self-service' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: /Find/ }).waitFor();
    await page.keyboard.type('replica');
    await page.getByRole('option', { name: /Change the replica count/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: /Change the replica count/ }).waitFor();
    await focused(dialog().getByRole('combobox', { name: 'Target entity' })).waitFor();
    await page.keyboard.type('checkout in prod');
    await page.locator('[role=option][data-combobox-selected]', { hasText: 'checkout in production' }).waitFor();
    await page.keyboard.press('Enter');
    // The chosen one can be taken away again by keyboard, so it comes before the next field.
    await dialog().getByRole('button', { name: 'Remove checkout in production' }).waitFor();
    await page.keyboard.press('Tab');
    await focused(dialog().getByLabel('Replicas')).waitFor();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('7');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/runs\/r_/);
    await status('Success').waitFor();
    await focused(page.getByRole('heading', { level: 1 })).waitFor();
    await page.goto('/catalog/deployment/checkout-production');
    await page.getByRole('region', { name: 'Properties' }).getByText('7', { exact: true }).waitFor();
  });

  it('stays in a dialog, and Escape leads back to what opened it', async () => {
    await openAs(page, '/settings/credentials');
    const opener = page.getByRole('button', { name: 'New credential' });
    await opener.focus();
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    for (let presses = 0; presses < 8; presses++) {
      await page.keyboard.press('Tab');
      await focused(dialog().locator('*')).waitFor();
    }
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    await focused(opener).waitFor();
  });
});

describe('a delivery', () => {
  const row = (name: RegExp) => page.getByRole('row', { name });
  const latest = () => page.getByRole('region', { name: 'Latest replays' });

  it('is replayed from its row, and all that match a filter with their progress; the runs stay as they are', async () => {
    const runs = [await startRun('replayed-one'), await startRun('replayed-two')];
    const [first = ''] = runs;
    const statusOf = async (run_id: string) => (await portal.call(runRoutes.get, { params: { run_id } })).run.status;
    for (const id of runs) await expect.poll(() => statusOf(id), { timeout: 20_000 }).toBe('SUCCESS');
    const { run: before } = await portal.call(runRoutes.get, { params: { run_id: first } });

    await openAs(page, `/deliveries?run=${first}`);
    await page.getByRole('button', { name: `Details of attempt 1 of ${first}` }).click();
    await page.getByText('The same request under the same key; no status changes by it.').waitFor();
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await latest()
      .getByRole('link', { name: `Replay of ${first}` })
      .waitFor();
    await latest()
      .getByText(/^Done: 1 delivered/)
      .waitFor();
    await row(/scaffold_service.* 2 replay/)
      .first()
      .waitFor();

    await page.goto(`/deliveries?action=scaffold_service&kind=run&from=${before.createdAt}`);
    await page.getByRole('button', { name: 'Replay all that match' }).click();
    await dialog().getByText('2 deliveries match by the last attempt.').waitFor();
    await dialog().getByRole('button', { name: 'Replay' }).click();
    await latest()
      .getByRole('progressbar', { name: /Progress of Replay of all with/ })
      .first()
      .waitFor();
    await latest()
      .getByText(/^Done: 2 delivered/)
      .waitFor();
    // From the replay to what it sent.
    await latest()
      .getByRole('link', { name: /Replay of all with/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'Only of one replay' }).waitFor();
    await row(/ 3 replay/).waitFor();
    const { run: after } = await portal.call(runRoutes.get, { params: { run_id: first } });
    expect([after.status, after.endedAt]).toEqual([before.status, before.endedAt]);
  });
});
