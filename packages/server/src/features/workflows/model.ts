import type { ErrorDetail, WorkflowBody } from '@quayside/contracts';

/** What is wrong with the graph: two nodes of one name, connections from or to nowhere. */
export function findMistakes(workflow: WorkflowBody): ErrorDetail[] {
  const mistakes: ErrorDetail[] = [];
  const known = new Set<string>();
  for (const [index, { identifier }] of workflow.nodes.entries()) {
    if (known.has(identifier))
      mistakes.push({ path: `body.nodes.${index}.identifier`, message: `"${identifier}" is already taken by a node.` });
    known.add(identifier);
  }
  for (const [index, connection] of (workflow.connections ?? []).entries())
    for (const end of ['sourceIdentifier', 'targetIdentifier'] as const)
      if (!known.has(connection[end]))
        mistakes.push({
          path: `body.connections.${index}.${end}`,
          message: `names the node "${connection[end]}", which is not in the workflow.`,
        });
  return mistakes;
}
