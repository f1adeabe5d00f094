import { expect, it } from 'vitest';
import { fromDraft, toDraft } from './draft.ts';

it('shows the default where nothing is set, and nothing for ever', () => {
  expect(toDraft()).toEqual({ deliveriesDays: '90', messageBodiesDays: '30', runLogsDays: '365', auditDays: '' });
  expect(toDraft({ runLogsDays: null, deliveriesDays: 7 })).toMatchObject({ runLogsDays: '', deliveriesDays: '7' });
});

it('reads days, nothing as for ever, and names the field that is neither', () => {
  const draft = { deliveriesDays: ' 7 ', messageBodiesDays: '30', runLogsDays: '', auditDays: '400' };
  expect(fromDraft(draft)).toEqual({
    retention: { deliveriesDays: 7, messageBodiesDays: 30, runLogsDays: null, auditDays: 400 },
  });
  for (const text of ['0', '1.5', 'x', '4000'])
    expect(fromDraft({ ...draft, runLogsDays: text })).toEqual({ mistakes: { runLogsDays: expect.any(String) } });
});
