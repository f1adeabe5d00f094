import type { Nodes, Parent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { Fragment, type ReactNode, useMemo } from 'react';
import { ScrollRegion } from './scroll-region.tsx';

/**
 * Markdown of other people, as React elements: nothing is ever parsed as HTML, so there is nothing to sanitise. Raw HTML
 * in the text shows as text; images are links, because loading one would tell a stranger's server who looks.
 */
export default function Markdown({ text }: { text: string }): ReactNode {
  const tree = useMemo(() => fromMarkdown(text), [text]);
  return <div className="q-prose">{children(tree)}</div>;
}

const safeLink = /^(?:https?:|mailto:|\/(?!\/)|#)/i;

function children(node: Parent): ReactNode {
  return node.children.map((child, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the tree is made anew from the text, nodes have no identity
    <Fragment key={index}>{render(child)}</Fragment>
  ));
}

function render(node: Nodes): ReactNode {
  switch (node.type) {
    case 'text':
    case 'html':
      return node.value;
    case 'paragraph':
      return <p>{children(node)}</p>;
    case 'heading':
      return node.depth <= 2 ? <h3>{children(node)}</h3> : <h4>{children(node)}</h4>;
    case 'strong':
      return <strong>{children(node)}</strong>;
    case 'emphasis':
      return <em>{children(node)}</em>;
    case 'inlineCode':
      return <code className="q-mono">{node.value}</code>;
    case 'code':
      return (
        <ScrollRegion label="Code" className="q-code">
          <pre>{node.value}</pre>
        </ScrollRegion>
      );
    case 'blockquote':
      return <blockquote>{children(node)}</blockquote>;
    case 'list':
      return node.ordered ? <ol start={node.start ?? 1}>{children(node)}</ol> : <ul>{children(node)}</ul>;
    case 'listItem':
      return <li>{children(node)}</li>;
    case 'break':
      return <br />;
    case 'thematicBreak':
      return <hr />;
    case 'link':
      return <SafeLink url={node.url}>{children(node)}</SafeLink>;
    case 'image':
      return <SafeLink url={node.url}>{node.alt || node.url}</SafeLink>;
    default:
      return 'children' in node ? children(node as Parent) : null;
  }
}

function SafeLink({ url, children: content }: { url: string; children: ReactNode }): ReactNode {
  if (!safeLink.test(url)) return <>{content}</>;
  return (
    <a href={url} target="_blank" rel="noreferrer">
      {content}
    </a>
  );
}
