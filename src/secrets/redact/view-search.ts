import type { Registry, SecretSpan } from './registry.ts';
import type { View } from './view.ts';

/** Where values lie in a view, as places in the text that it was made of. */
export const searchView = (registry: Registry, view: View): readonly SecretSpan[] =>
  spansBehind(view, registry.search(view.text));

/** Spans of the text of a view, as spans of the text that it was made of. */
export const spansBehind = (view: View, spans: readonly SecretSpan[]): SecretSpan[] =>
  spans.map((span) => ({
    ...view.behind(span),
    members: span.members.map((match) => ({ ...match, ...view.behind(match) })),
  }));
