import type { Action, MessageKind, Run } from '@quayside/contracts';

/** Pure rules of messages: what they are, and what they say. */

export type MessagePayload =
  | { type: 'WEBHOOK'; url: string; body: unknown }
  | { type: 'EMAIL'; to: string[]; subject: string; text: string }
  /** A change of the catalog that an agent carries to the URL in it. */
  | { type: 'CHANGE'; message: Record<string, unknown> }
  /** What it said is not kept any more (retention); only of one that has ended. */
  | { type: 'REMOVED' };

export interface Message {
  id: string;
  kind: MessageKind;
  runId: string | null;
  blueprint: string | null;
  entity: string | null;
  payload: MessagePayload;
  status: 'OPEN' | 'DELIVERED' | 'FAILED';
}

/** A run that waits for approval, as its approvers are told about it. */
export interface ApprovalRequest {
  run: Run;
  action: Action;
  /** As submitted, hidden ones too; secrets are masked. */
  inputs: Readonly<Record<string, unknown>>;
  requester: { by: Readonly<Record<string, unknown>>; name: string };
  /** The run's page. */
  link: string;
}

/** The classic message with its status and the link (spec/actions.md §1.14). */
export function approvalBody({ run, action, inputs, requester, link }: ApprovalRequest): Record<string, unknown> {
  return {
    action: action.identifier,
    resourceType: 'run',
    status: run.status,
    trigger: { by: requester.by, origin: run.source, at: run.createdAt },
    context: { runId: run.id, blueprint: run.blueprint?.identifier ?? null, entity: run.entity?.identifier ?? null },
    payload: { properties: inputs },
    link,
  };
}

export function approvalSlackBody(request: ApprovalRequest): Record<string, unknown> {
  const headline = `${request.requester.name} asks for approval: ${titleOf(request)}`;
  const inputs = describeInputs(request.inputs).map((line) => `• ${escapeSlack(line)}`);
  return {
    text: headline,
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: `*${escapeSlack(headline)}*` } },
      ...(inputs.length > 0
        ? [{ type: 'section', text: { type: 'mrkdwn', text: inputs.join('\n').slice(0, maxSlackText) } }]
        : []),
      {
        type: 'actions',
        elements: [{ type: 'button', text: { type: 'plain_text', text: 'Open the run' }, url: request.link }],
      },
    ],
  };
}

export function approvalMail(request: ApprovalRequest): { subject: string; text: string } {
  const inputs = describeInputs(request.inputs);
  return {
    subject: `Approval needed: ${titleOf(request)}`,
    text: [
      `${request.requester.name} asks for approval of "${titleOf(request)}".`,
      '',
      ...(inputs.length > 0 ? ['Inputs:', ...inputs.map((line) => `  ${line}`), ''] : ['It has no inputs.', '']),
      'Approve or decline:',
      request.link,
      '',
    ].join('\n'),
  };
}

/** Slack refuses longer texts in a section. */
const maxSlackText = 2_900;
const maxValueLength = 500;

function titleOf({ action, run }: ApprovalRequest): string {
  const title = action.title ?? action.identifier;
  return run.entity ? `${title} on ${run.entity.title ?? run.entity.identifier}` : title;
}

function describeInputs(inputs: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(inputs).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `${name}: ${text.length > maxValueLength ? `${text.slice(0, maxValueLength)} …` : text}`;
  });
}

function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
