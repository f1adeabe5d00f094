/** The commands of the first-run page. Texts only, so that a test can read them like a person does. */
export interface StartFacts {
  baseUrl: string;
  orgId: string;
  clientId: string | undefined;
  clientSecret: string | undefined;
}

const unknownId = '<client id>';
const unknownSecret = '<client secret>';

export function agentCommand(facts: StartFacts): string {
  return [
    `PORT_ORG_ID=${facts.orgId} \\`,
    `PORT_CLIENT_ID=${facts.clientId ?? unknownId} \\`,
    `PORT_CLIENT_SECRET=${facts.clientSecret ?? unknownSecret} \\`,
    `PORT_API_BASE_URL=${facts.baseUrl} \\`,
    'STREAMER_NAME=POLLING \\',
    'script/agent',
  ].join('\n');
}

export function tokenCommand(facts: StartFacts): string {
  return [
    `TOKEN=$(curl -s ${facts.baseUrl}/v1/auth/access_token \\`,
    "  -H 'content-type: application/json' \\",
    `  -d '{"clientId":"${facts.clientId ?? unknownId}","clientSecret":"${facts.clientSecret ?? unknownSecret}"}' \\`,
    String.raw`  | sed -E 's/.*"accessToken":"([^"]+)".*/\1/')`,
  ].join('\n');
}

export function actionCommand(facts: StartFacts): string {
  const action = {
    identifier: 'say_hello',
    title: 'Say hello',
    icon: 'Rocket',
    description: 'Sends one signed request to your service.',
    trigger: {
      type: 'self-service',
      operation: 'CREATE',
      userInputs: { properties: { name: { type: 'string', title: 'Name', default: 'world' } }, required: ['name'] },
    },
    invocationMethod: {
      type: 'WEBHOOK',
      agent: true,
      url: 'http://my-service.internal:8080/hello',
      body: { name: '{{ .inputs.name }}', runId: '{{ .run.id }}' },
    },
  };
  return [
    `curl ${facts.baseUrl}/v1/actions \\`,
    '  -H "authorization: Bearer $TOKEN" \\',
    "  -H 'content-type: application/json' \\",
    `  -d '${JSON.stringify(action, null, 2)}'`,
  ].join('\n');
}

/** The two header names are the public contract's; the secret is that of the credential the agent runs with. */
export const verifyCode = `import { createHmac, timingSafeEqual } from 'node:crypto';

export function isFromPortal(headers, rawBody, clientSecret) {
  const timestamp = headers['x-port-timestamp'];
  const [version, signature] = String(headers['x-port-signature']).split(',');
  if (version !== 'v1') return false;
  // Epoch seconds; an old request that somebody recorded is refused.
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false;
  const expected = createHmac('sha256', clientSecret)
    .update(\`\${timestamp}.\`)
    .update(rawBody) // the bytes as received, before any parsing
    .digest();
  const given = Buffer.from(signature ?? '', 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}`;

export function reportCommand(facts: StartFacts): string {
  return [
    `curl ${facts.baseUrl}/v1/actions/runs/$RUN_ID/logs \\`,
    '  -H "authorization: Bearer $TOKEN" \\',
    "  -H 'content-type: application/json' \\",
    `  -d '{"message": "Said hello", "terminationStatus": "SUCCESS"}'`,
  ].join('\n');
}
