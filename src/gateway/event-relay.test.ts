import { afterEach, describe, expect, it, vi } from 'vitest';
import { type EventSink, relayEvents } from './event-relay.ts';
import type { SessionEvent } from './exchange.ts';

afterEach(() => vi.useRealTimers());

interface Stand {
  readonly sink: EventSink & { at: 'ready' | 'busy' | 'absent' };
  readonly seen: string[];
  readonly emit: (event: SessionEvent) => void;
  readonly relay: ReturnType<typeof relayEvents>;
}

function stand(wants: (event: SessionEvent) => boolean = () => true): Stand {
  vi.useFakeTimers();
  const seen: string[] = [];
  const sink = {
    ...{ at: 'ready' as const, wants, state: (): 'ready' | 'busy' | 'absent' => sink.at },
    deliver: (event: SessionEvent): void => void seen.push(event.kind === 'updated' ? event.uri : event.kind),
  } as Stand['sink'];
  let emit: (event: SessionEvent) => void = () => undefined;
  const listen = (listener: (event: SessionEvent) => void): (() => void) => {
    emit = listener;
    return () => {
      emit = () => undefined;
    };
  };
  const relay = relayEvents(listen, sink, 250);
  return { sink, seen, relay, emit: (event) => emit(event) };
}

describe('relayEvents', () => {
  it('tells at most one of a kind, and of a URI, in its time, and the last of a storm', () => {
    const { seen, emit } = stand();
    for (let count = 0; count < 1_000; count++) emit({ kind: 'tools' });
    emit({ kind: 'updated', uri: 'a' });
    expect(seen).toEqual(['tools']);
    vi.advanceTimersByTime(250);
    expect(seen).toEqual(['tools', 'tools', 'a']);
    vi.advanceTimersByTime(1_000);
    expect(seen).toHaveLength(3);
  });

  it('holds one of each for a client that does not read, and no log message', () => {
    const { sink, seen, emit } = stand();
    sink.at = 'busy';
    for (let count = 0; count < 1_000; count++) emit({ kind: 'resources' });
    for (let count = 0; count < 1_000; count++) emit({ kind: 'log', message: {} });
    vi.advanceTimersByTime(10_000);
    expect(seen).toEqual([]);
    sink.at = 'ready';
    vi.advanceTimersByTime(250);
    expect(seen).toEqual(['resources']);
  });

  it('waits for a client without a channel, without a clock', () => {
    const { sink, seen, emit, relay } = stand();
    sink.at = 'absent';
    emit({ kind: 'prompts' });
    expect(vi.getTimerCount()).toBe(0);
    sink.at = 'ready';
    relay.flush();
    expect(seen).toEqual(['prompts']);
  });

  it('tells what is wanted, asked again when it is told, and nothing after the end', () => {
    const wanted = new Set(['a', 'b']);
    const { sink, seen, emit, relay } = stand((event) => event.kind === 'updated' && wanted.has(event.uri));
    emit({ kind: 'tools' });
    sink.at = 'absent';
    emit({ kind: 'updated', uri: 'a' });
    emit({ kind: 'updated', uri: 'b' });
    emit({ kind: 'updated', uri: 'c' });
    wanted.delete('a');
    sink.at = 'ready';
    relay.flush();
    expect(seen).toEqual(['b']);
    relay.end();
    emit({ kind: 'updated', uri: 'b' });
    vi.advanceTimersByTime(1_000);
    expect(seen).toEqual(['b']);
  });
});
