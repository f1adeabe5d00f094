import type { Ctx } from '../../platform/ctx.ts';
import type { Person } from '../identity/index.ts';
import { type ApprovalRequest, approvalBody, approvalMail, approvalSlackBody } from './model.ts';
import { post } from './service.ts';

/** Tells approvers about a run that waits for them, as its action says (`approvalNotification`, e-mail unless set). */
export type NotifyApprovers = (
  ctx: Ctx,
  request: Omit<ApprovalRequest, 'link'>,
  asked: readonly Person[],
  /** Named by a policy: they find the run in their inbox, and are not written to (spec/actions.md §1.14). */
  isByPolicy: boolean,
) => Promise<string>;

/** The answer is a sentence for the run's log: who is told, and how. */
export function createNotifyApprovers(dependencies: {
  hasMail: boolean;
  runUrl(runId: string): string;
}): NotifyApprovers {
  const { hasMail, runUrl } = dependencies;
  return async (ctx, facts, asked, isByPolicy) => {
    const request = { ...facts, link: runUrl(facts.run.id) };
    const { action, run } = request;
    const about = {
      kind: 'approval' as const,
      runId: run.id,
      blueprint: run.blueprint?.identifier ?? null,
      entity: run.entity?.identifier ?? null,
    };
    const notification = action.approvalNotification ?? { type: 'email' };
    if (notification.type === 'webhook') {
      const body = notification.format === 'slack' ? approvalSlackBody(request) : approvalBody(request);
      await post(ctx, { ...about, payload: { type: 'WEBHOOK', url: notification.url, body } });
      return `Waiting for approval; told ${new URL(notification.url).host}.`;
    }
    const to = asked.map((person) => person.email);
    if (to.length === 0) return 'Waiting for approval, but nobody may approve: see the permissions of the action.';
    if (isByPolicy) return `Waiting for approval by ${to.join(', ')}, who find it among their approvals.`;
    if (!hasMail)
      return `Waiting for approval by ${to.join(', ')}. They were sent no e-mail: this portal has no mail server (QUAYSIDE_SMTP_URL).`;
    await post(ctx, { ...about, payload: { type: 'EMAIL', to, ...approvalMail(request) } });
    return `Waiting for approval; e-mail to ${to.join(', ')}.`;
  };
}
