import { testOrganization } from '@quayside/testkit';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { signIn } from './browser.ts';
import type { Portal } from './portal.ts';
import { onStage } from './stage.ts';

let portal: Portal;
let page: Page;
onStage({ isDemo: false }, (stage) => ({ portal, page } = stage));

describe('an empty organization', () => {
  it('opens with three steps, and their commands carry a credential that works', async () => {
    await page.goto('/');
    await signIn(page);
    await page.getByRole('heading', { name: 'Get started' }).waitFor();
    for (const step of [1, 2, 3]) await page.getByRole('region', { name: new RegExp(`^Step ${step}:`) }).waitFor();
    await page.getByText('No agent yet').waitFor();
    await page.getByRole('button', { name: 'Create a credential for it' }).click();
    await page.getByText('The commands below now carry the new credential').waitFor();

    const agent = await page.getByRole('region', { name: 'Start the agent' }).textContent();
    expect(agent).toContain(`PORT_ORG_ID=${testOrganization.orgId}`);
    expect(agent).toContain(`PORT_API_BASE_URL=${portal.url}`);
    const [, clientId] = /PORT_CLIENT_ID=(\S+)/.exec(agent ?? '') ?? [];
    const [, clientSecret] = /PORT_CLIENT_SECRET=(\S+)/.exec(agent ?? '') ?? [];
    const answer = await fetch(`${portal.url}/v1/auth/access_token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ clientId, clientSecret }),
    });
    expect(answer.status).toBe(200);

    await page.getByRole('link', { name: 'self-service page' }).click();
    await page.getByText('There are no actions yet').waitFor();
  });
});
