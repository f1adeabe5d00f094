import { constants, createDecipheriv, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import {
  actionRoutes,
  identityRoutes,
  peopleRoutes,
  permissionRoutes,
  runRoutes,
  secretRoutes,
} from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { startReceiver } from '@quayside/testkit/receiver';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openAs } from './browser.ts';
import { allKinds, approved, conditional, dynamic, pickers, previewed, removal, sealed, wizard } from './forms.ts';
import { addPerson, type Portal } from './portal.ts';
import { onStage } from './stage.ts';

/** Forms as people meet them: every kind of input, rules that follow what is typed, steps, JSON, links, the builder. */
let portal: Portal;
let page: Page;
onStage(
  { isDemo: true },
  (stage) => ({ portal, page } = stage),
  async (fresh) => {
    for (const body of [allKinds, dynamic, wizard, approved]) await fresh.call(actionRoutes.create, { body });
  },
);

const dialog = () => page.getByRole('dialog');
/** By its whole label; one that is required ends in a star. */
const field = (name: string) => dialog().getByLabel(new RegExp(`^${name.replace(/[^\w ]/g, '\\$&')}( \\*)?$`));
const patience = { timeout: 20_000 };
async function choose(label: string, option: string | RegExp): Promise<void> {
  await dialog().getByRole('combobox', { name: label, exact: true }).click();
  await page.getByRole('option', { name: option }).click();
}

/** Of the dot that a choice has. */
const colourOf = (choice: Locator) => choice.locator('.q-dot').getAttribute('style');

async function startedRun() {
  await page.waitForURL(/\/runs\/r_/);
  const runId = /\/runs\/(r_\w+)/.exec(page.url())?.[1] ?? '';
  return (await portal.call(runRoutes.get, { params: { run_id: runId }, query: { version: 'v2' } })).run;
}

/** So that it waits in nobody's inbox. */
const end = (id: string) => portal.call(runRoutes.patch, { params: { run_id: id }, body: { status: 'FAILURE' } });

describe('a form', () => {
  it('takes every kind of input, tells what is wrong beside each, and shows no secret afterwards', async () => {
    await openAs(page, '/self-serve?action=all_kinds');
    await field('Text').fill('x');
    await field('Several lines').fill('one\ntwo');
    await dialog().getByRole('combobox', { name: 'Choice', exact: true }).click();
    expect(await colourOf(page.getByRole('option', { name: 'red' }))).toContain('rgb(224, 69, 69)');
    await page.getByRole('option', { name: 'blue' }).click();
    await choose('Choice of numbers', '2');
    await field('Number').fill('0');
    await dialog().getByRole('switch', { name: 'Switch' }).click();
    await field('Object').fill('{"Key": 1}');
    await field('List').fill('abc');
    await page.keyboard.press('Enter');
    await field('List').fill('NO');
    await page.keyboard.press('Enter');
    await choose('Several of some', 'b');
    await page.keyboard.press('Escape');
    await field('When').fill('2030-01-02T03:04');
    await field('URL').fill('example');
    await field('E-mail').fill('nobody');
    await field('Address').fill('10.0.0.1');
    await field('YAML').fill('a: [1');
    await field('Markdown').fill('# Hello');
    await field('Link: URL').fill('https://example.com');
    await field('Link: text').fill('Example');
    await choose('Person', new RegExp(testOrganization.adminEmail));
    await dialog().getByRole('combobox', { name: 'Service', exact: true }).fill('check');
    await page.getByRole('option', { name: /Checkout/ }).click();
    await dialog().getByRole('combobox', { name: 'Services', exact: true }).fill('loyalty');
    await page.getByRole('option', { name: /Loyalty/ }).click();
    expect(await field('Secret').getAttribute('type')).toBe('password');
    await field('Secret').fill('hunter2-hidden');
    await field('Secret of several lines').fill('hunter3\nhidden');
    await dialog().getByRole('button', { name: 'Create' }).click();
    for (const mistake of [
      'Text must have at least 2 characters.',
      'Number must be more than 0.',
      'Object does not allow the key "Key".',
      'List “NO” must match the pattern ^[a-z]+$.',
      'URL must be a full URL',
      'E-mail must be an e-mail address',
      'Address must be an IPv6 address',
      'YAML is not valid YAML: line 1',
    ])
      await dialog().getByText(mistake).waitFor();

    await field('Text').fill('xy');
    await field('Number').fill('7.5');
    await field('Object').fill('{"key": 1}');
    await field('List').press('Backspace');
    await field('URL').fill('https://example.com/a');
    await field('E-mail').fill('ana@example.com');
    await field('Address').fill('2001:db8::1');
    await field('YAML').fill('a: [1]');
    await dialog().getByRole('button', { name: 'Create' }).click();
    const run = await startedRun();
    const { secret, secret_lines, ...values } = run.rawProperties;
    expect(values).toEqual({
      text: 'xy',
      lines: 'one\ntwo',
      choice: 'blue',
      number_choice: 2,
      number: 7.5,
      flag: true,
      object: { key: 1 },
      list: ['abc'],
      several: ['b'],
      when: new Date('2030-01-02T03:04').toISOString(),
      url: 'https://example.com/a',
      mail: 'ana@example.com',
      address: '2001:db8::1',
      yaml: 'a: [1]',
      markdown: '# Hello',
      link: { url: 'https://example.com', displayText: 'Example' },
      person: testOrganization.adminEmail,
      service: 'checkout',
      services: ['loyalty'],
    });
    const chip = (text: string) =>
      page.getByRole('region', { name: 'Inputs', exact: true }).locator('.q-chip').getByText(text, { exact: true });
    expect(await colourOf(chip('blue').locator('..'))).toContain('rgb(47, 125, 225)');
    expect(await colourOf(chip('b').locator('..'))).toContain('rgb(47, 168, 79)');
    expect(JSON.stringify(run)).not.toContain('hidden');
    expect([secret, secret_lines].every((each) => String(each).length > 40)).toBe(true);
    await page.getByRole('tab', { name: 'Data' }).click();
    await page.getByRole('region', { name: 'Inputs as sent' }).waitFor();
    expect(await page.content()).not.toContain('hunter');
  });

  it('seals in the browser what only the backend may read, and the backend reads it', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const receiver = await startReceiver();
    await portal.call(actionRoutes.create, { body: sealed(key, receiver.url) });
    const params = { action_identifier: 'sealed' };
    const inClear = portal.call(runRoutes.execute, { params, body: { properties: { token: 'hunter4-in-clear' } } });
    await expect(inClear).rejects.toThrow(/must be encrypted by the client/);
    await openAs(page, '/self-serve?action=sealed');
    await field('Token').fill('hunter4 für das Lager');
    await dialog().getByRole('button', { name: 'Create' }).click();
    const run = await startedRun();
    expect(JSON.stringify(run)).not.toContain('hunter4');
    await expect.poll(() => receiver.requests.length, patience).toBe(1);
    const { inputs } = JSON.parse(String(receiver.requests[0]?.body)) as { inputs: { token: string } };
    // base64(IV[12] | key under RSA-OAEP | ciphertext and tag), as docs of Port's clients have it (spec/actions.md §1.8).
    const bytes = Buffer.from(inputs.token, 'base64');
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    const aesKey = privateDecrypt({ key: privateKey, ...padding }, bytes.subarray(12, 268));
    const decipher = createDecipheriv('aes-256-gcm', aesKey, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(-16));
    expect(`${decipher.update(bytes.subarray(268, -16), undefined, 'utf8')}${decipher.final('utf8')}`).toBe(
      'hunter4 für das Lager',
    );
    await receiver.close();
  });

  it('follows what is typed: choices, visibility, defaults, datasets, required', async () => {
    await openAs(page, '/self-serve?action=dynamic');
    const version = dialog().getByRole('combobox', { name: 'Version' });
    await dialog().getByText('First fill in Language').waitFor();
    expect(await version.isDisabled()).toBe(true);
    expect(await field('Reason').count()).toBe(0);
    await expect.poll(() => field('Requester').inputValue(), patience).toBe(testOrganization.adminEmail);
    expect(await field('Requester').isDisabled()).toBe(true);

    await choose('Language', 'Go');
    await field('Reason').waitFor();
    expect(await field('Name').inputValue()).toBe('svc-go');
    await choose('Version', '1.25');
    await dialog().getByRole('combobox', { name: 'Service' }).click();
    await page.getByRole('option', { name: /Shipment tracker/ }).waitFor();
    expect(await page.getByRole('option', { name: /Checkout/ }).count()).toBe(0);
    await page.getByRole('option', { name: /Shipment tracker/ }).click();
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog().getByText('Reason is required.').waitFor();

    // Another parent: its child starts again, what is hidden is no longer asked for.
    await choose('Language', 'Python');
    await field('Reason').waitFor({ state: 'detached' });
    expect(await version.inputValue()).toBe('');
    expect(await field('Name').inputValue()).toBe('svc-python');
    await dialog().getByRole('button', { name: 'Create' }).click();
    // The service that was chosen is written in Go: only the server can know.
    await dialog()
      .getByText(/names the entity "shipment-tracker".*not one of the choices/)
      .waitFor();
    await dialog().getByRole('button', { name: 'Remove Shipment tracker' }).click();
    await field('Name').fill('');
    await dialog().getByRole('button', { name: 'Create' }).click();
    expect((await startedRun()).rawProperties).toEqual({ language: 'Python', requester: testOrganization.adminEmail });
  });

  it('offers in a list of entities those that its rules leave, in its order, and headings where they are due', async () => {
    const member = await addPerson(portal, { email: 'picker@example.com' });
    await portal.call(peopleRoutes.createTeam, { body: { name: 'shop', users: [member.email] } });
    await portal.call(actionRoutes.create, { body: pickers });
    const offered = async (label: string): Promise<string[]> => {
      await dialog().getByRole('combobox', { name: label, exact: true }).click();
      const options = page.getByRole('listbox', { name: 'Entities' }).getByRole('option');
      await options.first().waitFor();
      const titles = await options.locator('p:first-child').allTextContents();
      await page.keyboard.press('Escape');
      await options.first().waitFor({ state: 'detached' });
      return titles;
    };
    const inputs = JSON.stringify({ $targetEntity: 'catalogue-production' });
    await openAs(page, `/self-serve?${new URLSearchParams({ action: 'pickers', actionInputs: inputs })}`, member);
    expect(await offered('Critical')).toEqual(['Checkout', 'Payments gateway', 'Product catalogue']);
    // The target is healthy, so are these; the highest version is the first.
    expect(await offered('Alike')).toEqual([
      'checkout in staging',
      'shipment-tracker in production',
      'catalogue in staging',
      'catalogue in production',
      'payments-gateway in production',
      'roastery-planner in production',
    ]);
    expect(await offered('Of your team')).toEqual(['Loyalty cards', 'Product catalogue']);
    expect(await offered('Of your team, in Go')).toEqual(['Product catalogue']);
    const heading = dialog().getByRole('heading', { name: 'What is yours' });
    expect(await heading.count()).toBe(0);
    await dialog().getByRole('switch', { name: 'By team' }).click();
    await heading.waitFor();
  });

  it('in steps goes on only when a step is right, and leaves out the one that is hidden', async () => {
    await openAs(page, '/self-serve?action=wizard');
    await dialog().getByText('Step 1 of 2').waitFor();
    await dialog().getByRole('heading', { name: 'About it' }).waitFor();
    expect(await dialog().getByRole('switch', { name: 'JSON mode' }).count()).toBe(0);
    await dialog().getByRole('button', { name: 'Next' }).click();
    await dialog().getByText('Name is required.').waitFor();
    await field('Name').fill('shop');
    await dialog().getByRole('switch', { name: 'Big' }).click();
    await dialog().getByText('Step 1 of 3').waitFor();
    await dialog().getByRole('button', { name: 'Next' }).click();
    await dialog().getByRole('heading', { name: 'How big' }).waitFor();
    await dialog().getByRole('button', { name: 'Back' }).click();
    await dialog().getByRole('switch', { name: 'Big' }).click();
    await dialog().getByRole('button', { name: 'Next' }).click();
    await dialog().getByRole('heading', { name: 'Notes' }).waitFor();
    // A reload loses nothing.
    await field('Notes').fill('kept');
    await page.reload();
    await dialog().getByText('This is what you typed before.').waitFor();
    expect(await field('Notes').inputValue()).toBe('kept');
    await dialog().getByRole('button', { name: 'Create' }).click();
    expect((await startedRun()).rawProperties).toEqual({ name: 'shop', isBig: false, notes: 'kept' });
  });

  it('can be written as JSON, both ways, and comes filled in by a link', async () => {
    const inputs = JSON.stringify({ text: 'from a link', choice: 'red' });
    await openAs(page, `/self-serve?${new URLSearchParams({ action: 'all_kinds', actionInputs: inputs })}`);
    await expect.poll(() => field('Text').inputValue(), patience).toBe('from a link');
    await dialog().getByRole('switch', { name: 'JSON mode' }).click();
    const json = field('Inputs as JSON');
    expect(JSON.parse(await json.inputValue())).toEqual({ text: 'from a link', choice: 'red' });
    await json.fill('{"txt": "x"}');
    await dialog().getByText('“txt” is not an input of this action.').waitFor();
    await json.fill('{"text": "typed", "list": ["a", "b"]}');
    await dialog().getByRole('switch', { name: 'JSON mode' }).click();
    expect(await field('Text').inputValue()).toBe('typed');
    await dialog().getByRole('button', { name: 'Create' }).click();
    expect((await startedRun()).rawProperties).toEqual({ text: 'typed', list: ['a', 'b'] });
  });

  it('of a Day-2 action in a link has its entity', async () => {
    const inputs = JSON.stringify({ $targetEntity: 'checkout-production' });
    await openAs(page, `/self-serve?${new URLSearchParams({ action: 'change_replicas', actionInputs: inputs })}`);
    await dialog().getByText('checkout in production').waitFor();
  });
});

describe('a preview', () => {
  it('shows by keyboard what would be sent, who approves and which agents may take it, and sends nothing', async () => {
    await portal.call(secretRoutes.create, { body: { secretName: 'HARBOUR_KEY', secretValue: 'never-on-a-page' } });
    await portal.call(actionRoutes.create, { body: previewed });
    await openAs(page, '/self-serve?action=previewed');
    // What is wrong is told beside its field, as when executing.
    await dialog().getByRole('button', { name: 'Preview' }).click();
    await dialog().getByText('Berth is required.').waitFor();
    await field('Berth').fill('A7');
    await page.keyboard.press('Tab');
    await field('Keyword').fill('typed-secret');
    await dialog().getByRole('button', { name: 'Preview' }).focus();
    await page.keyboard.press('Enter');
    await dialog().getByRole('heading', { name: 'What executing would do' }).and(page.locator(':focus')).waitFor();
    await dialog().getByText('PUT http://127.0.0.1:9/berths/A7').waitFor();
    await dialog().getByText(`By ${testOrganization.adminEmail}.`).waitFor();
    await dialog()
      .getByText(/The next of one connected agent/)
      .waitFor();
    const headers = await dialog().getByRole('region', { name: 'Headers' }).textContent();
    expect(headers).toContain('Authorization: Bearer ******');
    const body = await dialog().getByRole('region', { name: 'Body' }).textContent();
    expect(JSON.parse(body ?? '')).toMatchObject({ berth: 'A7' });
    expect(await page.content()).not.toMatch(/never-on-a-page|typed-secret/);
    const runs = async () =>
      (await portal.call(runRoutes.list, { query: { action: 'previewed', version: 'v2' } })).runs.length;
    expect(await runs()).toBe(0);
    await dialog().getByRole('button', { name: 'Back' }).click();
    expect(await field('Berth').inputValue()).toBe('A7');
    await dialog().getByRole('button', { name: 'Preview' }).click();
    await dialog().getByRole('heading', { name: 'What executing would do' }).waitFor();
    await dialog().getByRole('button', { name: 'Create' }).click();
    const run = await startedRun();
    expect(run.status).toBe('WAITING_FOR_APPROVAL');
    expect(await runs()).toBe(1);
    await end(run.id);
  });

  it('says why the run would fail, and what the server refuses, beside the field', async () => {
    await openAs(page, '/self-serve?action=dynamic');
    await choose('Language', 'Go');
    await dialog().getByRole('combobox', { name: 'Service' }).click();
    await page.getByRole('option', { name: /Shipment tracker/ }).click();
    await choose('Language', 'Python');
    await dialog().getByRole('button', { name: 'Preview' }).click();
    await dialog()
      .getByText(/names the entity "shipment-tracker".*not one of the choices/)
      .waitFor();
  });
});

describe('an address of a form', () => {
  it('is made from JSON, tells what can not be read, and opens the form', async () => {
    await openAs(page, '/self-serve');
    await page.getByRole('button', { name: 'More for Dynamic' }).click();
    await page.getByRole('menuitem', { name: 'Link to the form' }).click();
    const json = field('What the form shall hold, as JSON');
    await json.fill('{"language": }');
    await dialog()
      .getByText(/Line 1, column 14/)
      .waitFor();
    await json.fill('{"lang": 1}');
    await dialog().getByText('The form has no input “lang”.').waitFor();
    await json.fill('{"language": "Go", "reason": "a (b) & c"}');
    const link = await dialog().getByRole('region', { name: 'Link' }).textContent();
    await page.goto(link ?? '');
    await expect.poll(() => field('Reason').inputValue(), patience).toBe('a (b) & c');
  });
});

describe('a member', () => {
  it('reads on the card and in the form why an action is not for them', async () => {
    const member = await addPerson(portal, { email: 'member@example.com' });
    await portal.call(actionRoutes.create, { body: { ...conditional, identifier: 'owned', title: 'For owners' } });
    await portal.call(permissionRoutes.patch, {
      params: { action_identifier: 'owned' },
      body: { execute: { roles: [], ownedByTeam: true } },
    });
    await openAs(page, '/self-serve', member);
    const button = page.getByRole('button', { name: 'Execute: For owners' });
    await button.waitFor();
    expect(await button.getAttribute('aria-disabled')).toBe('true');
    await page
      .getByText(/It is for the team that owns the entity; member@example.com has the role Member and is in no team/)
      .waitFor();
    expect(await page.getByRole('link', { name: 'Action', exact: true }).count()).toBe(0);
    await page.goto('/self-serve?action=owned');
    await dialog()
      .getByText(/An administrator can name member@example.com/)
      .waitFor();
    expect(await dialog().getByRole('button', { name: 'Execute' }).isDisabled()).toBe(true);
    expect(await dialog().getByRole('button', { name: 'Preview' }).isDisabled()).toBe(true);
    await page.goto('/settings/secrets');
    await page.getByRole('alert').getByText('You may not do this').waitFor();
    await page.getByText(/needs the permission secret:manage, .* It comes with the role Admin/).waitFor();
    await page.goto('/self-serve/new');
    await page.getByText(/needs the permission action:create, which the role Member does not have/).waitFor();
  });

  it('reads on the card that an action has to wait, and may when it no longer has to', async () => {
    const member = await addPerson(portal, { email: 'early@example.com' });
    const params = { action_identifier: 'limited' };
    await portal.call(actionRoutes.create, { body: { ...approved, identifier: 'limited', title: 'Limited' } });
    await portal.call(permissionRoutes.putLimits, { params, body: { concurrency: 1, concurrencyPerEntity: null } });
    const freeze = (to: string) =>
      portal.call(identityRoutes.patchOrganization, {
        body: {
          settings: { freezes: [{ from: '2020-01-01T00:00:00Z', to, reason: 'Stocktaking', actions: ['limited'] }] },
        },
      });
    const { run } = await portal.call(runRoutes.execute, { params, body: { properties: { why: 'first' } } });
    await openAs(page, '/self-serve', member);
    await page.getByText('Limit reached: 1 of 1 runs of "limited" have not ended yet. Wait until one has.').waitFor();
    await freeze('2040-01-01T10:00:00Z');
    await page.reload();
    await page.getByText(/^Frozen until .* 2040.*: Stocktaking\.$/).waitFor();
    const button = page.getByRole('button', { name: 'Create: Limited' });
    expect(await button.getAttribute('aria-disabled')).toBe('true');
    await page.goto('/self-serve?action=limited');
    await dialog().getByText('Not now').waitFor();
    await field('Why').fill('second');
    expect(await dialog().getByRole('button', { name: 'Create' }).isDisabled()).toBe(true);
    // Both pass without the form being opened again; what was typed stays.
    await freeze('2021-01-01T00:00:00Z');
    await dialog()
      .getByText(/Limit reached/)
      .waitFor();
    await end(run.id);
    await expect.poll(() => dialog().getByRole('button', { name: 'Create' }).isDisabled(), patience).toBe(false);
    await dialog().getByRole('button', { name: 'Create' }).click();
    const second = await startedRun();
    expect(second.rawProperties).toEqual({ why: 'second' });
    await end(second.id);
  });

  it('is not shown a private run of somebody else', async () => {
    const stranger = await addPerson(portal, { email: 'stranger@example.com' });
    await portal.call(actionRoutes.create, {
      body: { ...approved, identifier: 'private', title: 'Private', allowAnyoneToViewRuns: false },
    });
    const { run } = await portal.call(runRoutes.execute, {
      params: { action_identifier: 'private' },
      body: { properties: {} },
    });
    await openAs(page, `/runs/${run.id}`, stranger);
    await page.getByRole('heading', { name: 'There is no such run' }).waitFor();
    await page.getByText(/some are shown only to those who asked for them/).waitFor();
    await end(run.id);
  });

  it('finds what they asked for last on every page, with a count of what ended since', async () => {
    const asker = await addPerson(portal, { email: 'asker@example.com' });
    await openAs(page, '/self-serve?action=approved', asker);
    await field('Why').fill('to see it');
    await dialog().getByRole('button', { name: 'Create' }).click();
    const { id } = await startedRun();
    await page.getByRole('button', { name: 'My latest runs', exact: true }).click();
    const latest = dialog().filter({ hasText: 'My latest runs' });
    await latest.getByRole('link', { name: 'Needs a yes' }).waitFor();
    await latest.getByText('Waiting for approval').waitFor();
    await page.keyboard.press('Escape');
    await end(id);
    await page.getByRole('button', { name: 'My latest runs, 1 ended' }).click();
    await latest.getByText('Failure').waitFor();
    await latest.getByRole('link', { name: 'My run history' }).click();
    await page.getByRole('row', { name: /Needs a yes Failure/ }).waitFor();
    await page.getByText('1 run', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('checkbox', { name: 'Run', exact: true }).check();
    await page.getByRole('checkbox', { name: 'Inputs' }).check();
    await page.keyboard.press('Escape');
    await page.getByRole('row', { name: new RegExp(`${id} Needs a yes Failure .*Why: to see it`) }).waitFor();
    await page.getByRole('searchbox', { name: 'Search runs' }).fill('TO SEE');
    await page.waitForURL(/q=TO/);
    await page.getByText('1 run', { exact: true }).waitFor();
    await page.getByRole('combobox', { name: 'Group' }).click();
    await page.getByRole('option', { name: 'By requester' }).click();
    await page.getByRole('rowheader', { name: 'asker@example.com 1' }).waitFor();
    await page.getByRole('columnheader', { name: 'Duration' }).getByRole('button').click();
    // The address says it all: with it somebody else sees the same.
    await page.waitForURL(/group=requester&sort=duration&order=ASC/);
    await page.reload();
    await page.getByRole('rowheader', { name: 'asker@example.com 1' }).waitFor();
    expect(await page.getByRole('columnheader', { name: 'Duration' }).getAttribute('aria-sort')).toBe('ascending');
    await page.getByRole('searchbox', { name: 'Search runs' }).fill('nothing like it');
    await page.getByText('The newest 10,000 of the others were searched.').waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await page.getByRole('combobox', { name: 'Status' }).click();
    await page.getByRole('option', { name: 'Declined' }).click();
    await page.getByText('No run matches the filters').waitFor();
  });
});

describe('an approval', () => {
  it('waits in the inbox, is declined with a reason, and that is what the run says', async () => {
    await openAs(page, '/self-serve?action=approved');
    await field('Why').fill('because');
    await dialog().getByRole('button', { name: 'Create' }).click();
    const run = await startedRun();
    expect(run.status).toBe('WAITING_FOR_APPROVAL');
    await page.getByRole('link', { name: /^Approvals/ }).click();
    const request = page.getByRole('region', { name: /Needs a yes/ });
    await request.getByText('because').waitFor();
    await request.getByLabel('Comment').fill('Not this week.');
    await request.getByRole('button', { name: 'Decline' }).click();
    await page.getByText('Nothing waits for you').waitFor();
    await page.goto(`/runs/${run.id}`);
    await page.getByRole('heading', { level: 1 }).getByText('Declined').waitFor();
    await page.getByText('Not this week.').first().waitFor();
    // It is in the history of its action, to which each of its cards leads (one may be under "Recently used").
    await page.goto('/self-serve');
    await page.getByRole('button', { name: 'More for Needs a yes' }).first().click();
    await page.getByRole('menuitem', { name: 'Runs', exact: true }).click();
    await page.getByRole('row', { name: /Needs a yes.*Declined/ }).waitFor();
    expect(new URL(page.url()).search).toBe('?action=approved');
  });

  it('is withdrawn by whoever asked', async () => {
    const { run } = await portal.call(runRoutes.execute, {
      params: { action_identifier: 'approved' },
      query: { run_as: testOrganization.adminEmail },
      body: { properties: {} },
    });
    await openAs(page, `/runs/${run.id}`);
    await page.getByRole('button', { name: 'More for this run' }).click();
    await page.getByRole('menuitem', { name: 'Withdraw' }).click();
    await dialog().getByRole('button', { name: 'Withdraw' }).click();
    await page.getByRole('heading', { level: 1 }).getByText('Failure').waitFor();
  });
});

describe('an entity', () => {
  it('offers in its row and on its page what its state allows', async () => {
    await portal.call(actionRoutes.create, { body: conditional });
    await openAs(page, '/catalog/deployment?q=checkout');
    await page.getByRole('button', { name: 'Actions for checkout in staging' }).click();
    await page.getByRole('menuitem', { name: 'Change the replica count' }).waitFor();
    expect(await page.getByRole('menuitem', { name: 'Repair' }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Actions for checkout in production' }).click();
    await page.getByRole('menuitem', { name: 'Repair' }).click();
    await dialog().getByText('checkout in production').waitFor();
    await dialog().getByRole('button', { name: 'Execute' }).click();
    expect((await startedRun()).entity?.identifier).toBe('checkout-production');
  });

  it('is deleted only after a question that names it; its card is found by what it does', async () => {
    await portal.call(actionRoutes.create, { body: removal });
    await openAs(page, '/self-serve');
    await page.getByRole('combobox', { name: 'Operation' }).click();
    await page.getByRole('option', { name: 'Delete' }).click();
    await page.getByText('Deletes Deployment').waitFor();
    expect(await page.getByRole('heading', { name: 'Scaffold a service' }).count()).toBe(0);
    await page.getByRole('searchbox', { name: 'Search actions' }).fill('no such card');
    await page.getByText('No action matches').waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await page.getByRole('link', { name: 'Delete: Decommission' }).click();
    await dialog().getByRole('combobox', { name: 'Target entity' }).fill('staging');
    await page.getByRole('option', { name: /checkout in staging/ }).click();
    await dialog().getByRole('button', { name: 'Delete' }).click();
    await dialog().getByRole('alert').getByText('Really delete “checkout in staging”?').waitFor();
    await dialog().getByRole('button', { name: 'Back' }).click();
    await dialog().getByRole('alert').waitFor({ state: 'detached' });
    await dialog().getByRole('button', { name: 'Delete' }).click();
    await dialog().getByRole('button', { name: 'Yes, delete' }).click();
    const run = await startedRun();
    expect([run.action.identifier, run.entity?.identifier]).toEqual(['decommission', 'checkout-staging']);
  });
});

describe('an automation', () => {
  it('is made, switched on, changed and deleted on its pages', async () => {
    const stored = async () => {
      const params = { action_identifier: 'my_automation' };
      return (await portal.call(actionRoutes.get, { params, query: { version: 'v2' } })).action;
    };
    await openAs(page, '/settings/automations');
    await page.getByRole('button', { name: 'New automation' }).click();
    await dialog().getByRole('button', { name: 'Create' }).click();
    await page.getByText('When an entity of service is updated.').waitFor();
    expect((await stored()).publish).toBe(false);
    await page.getByRole('switch', { name: 'Active' }).click();
    await expect.poll(async () => (await stored()).publish, patience).toBe(true);
    await page.getByRole('tab', { name: 'Trigger' }).click();
    const trigger = page.getByRole('textbox', { name: 'Trigger' });
    await trigger.fill((await trigger.inputValue()).replace('ENTITY_UPDATED', 'ENTITY_CREATED'));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('When an entity of service is created.').waitFor();
    expect((await stored()).trigger).toMatchObject({ event: { type: 'ENTITY_CREATED' } });
    await page.getByRole('tab', { name: 'Details' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog().getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { level: 1, name: 'Automations' }).waitFor();
    await page.getByRole('link', { name: 'My automation' }).waitFor({ state: 'detached' });
    await expect(stored()).rejects.toThrow(/404/);
  });
});

describe('the builder', () => {
  const save = () => page.getByRole('button', { name: 'Create', exact: true }).first();

  it('makes an action from nothing, tests its expressions, and shows mistakes where they are', async () => {
    await openAs(page, '/self-serve');
    await page.getByRole('link', { name: 'Action', exact: true }).click();
    await page.getByLabel('Title *').fill('Book a berth');
    await expect.poll(() => page.getByLabel('Identifier *').inputValue(), patience).toBe('book_a_berth');
    // A condition is about the entity that the action works on: where there is none there is nothing to write.
    const condition = page.getByLabel('Condition', { exact: true });
    const pick = async (label: string, option: RegExp) => {
      await page.getByRole('combobox', { name: label, exact: true }).click();
      await page.getByRole('option', { name: option }).click();
    };
    await pick('Operation', /^Day-2/);
    expect(await condition.count()).toBe(0);
    await pick('Blueprint', /^Deployment$/);
    await condition.fill('{"type": "SEARCH", "combinator": "and", "rules": []}');
    await pick('Operation', /^Create/);
    await condition.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Next: User form' }).click();
    await page.getByRole('button', { name: 'Input', exact: true }).click();
    await field('Title').fill('Length');
    await dialog().getByRole('combobox', { name: 'Type' }).click();
    await page.getByRole('option', { name: 'Number', exact: true }).click();
    await dialog().getByLabel('Maximum').fill('400');
    await dialog().getByRole('switch', { name: 'Required' }).click();
    await dialog().getByRole('button', { name: 'Add' }).click();
    await page.getByRole('button', { name: 'Input', exact: true }).click();
    await field('Title').fill('Pilot');
    await dialog().getByRole('radiogroup', { name: 'Visible: value or program' }).getByText('jq').click();
    await field('Visible').fill('.form.length | nope');
    await dialog()
      .getByText(/Line 1, column 16.*nope/)
      .waitFor();
    await field('Visible').fill('.form.length > 100');
    await dialog()
      .getByText(/Yields false/)
      .waitFor();
    await dialog().getByRole('button', { name: 'Add' }).click();

    // The preview is the form itself.
    const result = page.getByRole('region', { name: 'Result' });
    expect(await result.getByLabel('Pilot').count()).toBe(0);
    await result.getByLabel(/^Length/).fill('500');
    await result.getByLabel('Pilot').waitFor();
    await result.getByText('Length must be 400 or less.').waitFor();
    await page.getByRole('button', { name: 'Move Pilot up' }).click();

    await page.getByRole('tab', { name: /Backend/ }).click();
    await page.getByLabel('Payload').fill('{"metres": "{{ .inputs.length | tostrin }}"}');
    await page.getByText(/Line 1, column 33.*tostrin/).waitFor();
    await page.getByLabel('Payload').fill('{"metres": "{{ .inputs.length }}"}');
    await page.getByRole('button', { name: 'Test JQ' }).click();
    await page.getByRole('region', { name: 'What is sent' }).getByText('"metres": 1').waitFor();
    // No address yet: the server says so.
    await save().click();
    await page
      .getByRole('alert')
      .getByText(/invocationMethod/)
      .first()
      .waitFor();
    await page.getByLabel('Endpoint URL').fill('https://example.com/{{ .inputs.length }}');
    await page.getByRole('tab', { name: /Permissions/ }).click();
    await page.getByRole('switch', { name: 'Give access to everyone in the organization' }).click();
    await page.getByLabel('At once, in all').fill('3');
    await save().click();
    await page.getByRole('heading', { name: 'Book a berth' }).waitFor();

    const params = { action_identifier: 'book_a_berth' };
    const { action } = await portal.call(actionRoutes.get, { params, query: { version: 'v2' } });
    expect(action).toMatchObject({
      title: 'Book a berth',
      trigger: {
        operation: 'CREATE',
        userInputs: {
          properties: {
            length: { type: 'number', maximum: 400 },
            pilot: { visible: { jqQuery: '.form.length > 100' } },
          },
          required: ['length'],
          order: ['pilot', 'length'],
        },
      },
      invocationMethod: { url: 'https://example.com/{{ .inputs.length }}', body: { metres: '{{ .inputs.length }}' } },
    });
    expect(action.trigger).not.toHaveProperty('condition');
    expect((await portal.call(permissionRoutes.get, { params })).permissions.execute.roles).toEqual([]);
    expect((await portal.call(permissionRoutes.getLimits, { params })).limits.concurrency).toBe(3);
    // It creates what the page of its blueprint lists, so it is offered there.
    await page.goto('/catalog/deployment');
    await page.getByRole('link', { name: 'Book a berth' }).click();
    await field('Length').waitFor();
  });

  it('completes what is typed in expressions, by keyboard, from the form, the catalog and the functions there are', async () => {
    await portal.call(secretRoutes.create, { body: { secretName: 'CRANE_KEY', secretValue: 'never-on-a-page-2' } });
    await openAs(page, '/self-serve/change_replicas/edit');
    await page.getByRole('tab', { name: /Backend/ }).click();
    const payload = page.getByLabel('Payload');
    const offered = page.getByRole('listbox', { name: 'Completions' });
    const type = async (text: string) => {
      await payload.fill('');
      await payload.pressSequentially(text);
    };
    await type('{"n": "{{ .inp');
    await offered.getByRole('option', { name: /^\.inputs/, selected: true }).waitFor();
    expect(await payload.getAttribute('aria-activedescendant')).toBe(
      await offered.getByRole('option').first().getAttribute('id'),
    );
    await page.keyboard.press('Enter');
    await page.keyboard.type('.');
    await offered.getByRole('option', { name: /^\.replicas/ }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type(' | tostri');
    await offered.getByRole('option', { name: /^tostring/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.keyboard.type(' }}"}');
    expect(await payload.inputValue()).toBe('{"n": "{{ .inputs.replicas | tostring }}"}');
    await offered.waitFor({ state: 'detached' });
    await type('{"a": "{{ .entity.properties.');
    await offered.getByRole('option', { name: /^\.status/ }).waitFor();
    await page.keyboard.press('Escape');
    await offered.waitFor({ state: 'detached' });
    await type('{"a": "{{ .secrets.C');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await payload.inputValue()).toContain('{{ .secrets.CRANE_KEY');
    // In a field of one line, which stays one.
    const url = page.getByLabel('Endpoint URL');
    await url.fill('https://host/');
    await url.pressSequentially('{{ .inputs.re');
    await offered.getByRole('option', { name: /^\.replicas/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    expect(await url.inputValue()).toBe('https://host/{{ .inputs.replicas');
    // In a dialog Escape closes the list only.
    await page.getByRole('tab', { name: /User form/ }).click();
    await page.getByRole('button', { name: 'More for Replicas' }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await dialog().getByRole('radiogroup', { name: 'Visible: value or program' }).getByText('jq').click();
    await field('Visible').press('Control+Space');
    await field('Visible').pressSequentially('.us');
    await dialog()
      .getByRole('option', { name: /^\.user/ })
      .waitFor();
    await page.keyboard.press('Escape');
    await dialog().getByRole('option').first().waitFor({ state: 'detached' });
    await field('Visible').waitFor();
    expect(await page.content()).not.toContain('never-on-a-page');
  });

  it('changes an action as JSON, duplicates and deletes it', async () => {
    await openAs(page, '/self-serve/wizard/edit');
    await page.getByRole('radiogroup', { name: 'Result as' }).getByText('JSON').click();
    const json = page.getByLabel('Action as JSON');
    const document = JSON.parse(await json.inputValue()) as { title: string };
    await json.fill('{"identifier": "wizard"}');
    await page.getByText('"trigger" must be an object').waitFor();
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await json.fill(JSON.stringify({ ...document, title: 'Wizard of Oz' }));
    await expect.poll(() => page.getByLabel('Title *').inputValue(), patience).toBe('Wizard of Oz');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Wizard of Oz' }).waitFor();
    await page.getByRole('button', { name: 'More for Wizard of Oz' }).click();
    await page.getByRole('menuitem', { name: 'Duplicate' }).click();
    await expect.poll(() => page.getByLabel('Identifier *').inputValue(), patience).toBe('wizard_copy');
    await save().click();
    await page.getByRole('button', { name: 'More for Wizard of Oz (copy)' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await dialog().getByRole('button', { name: 'Delete the action' }).click();
    await page.getByRole('heading', { name: 'Wizard of Oz (copy)', exact: true }).waitFor({ state: 'detached' });
  });
});
